import type { ProviderLogin } from "@pawl/engine";

declare const LOADED: unique symbol;

/** Stands beside the type of a payload that `loadPayload` says, so that it may be left out; nobody can make one. */
export interface Loaded {
  readonly [LOADED]: never;
}

/** An input that may be left out where nothing in it is compulsory, or where the application loads it. */
export type Given<Name extends string, Input extends object> =
  Readonly<Record<string, never>> extends Input
    ? { readonly [Key in Name]?: Input | undefined }
    : GivenOrLoaded<Name, Input>;

/** An input that may be left out where the application loads it. */
export type GivenOrLoaded<Name extends string, Input extends object> = Loaded extends Input
  ? { readonly [Key in Name]?: Exclude<Input, Loaded> | undefined }
  : { readonly [Key in Name]: Input };

/** How a user has authenticated at a login. */
export interface LoginAuth {
  /** By the names of RFC 8176, such as `pwd`, `otp`, `hwk`. */
  readonly methods?: readonly string[] | undefined;
  /** How sure that is (`acr`), in the words of the application or its identity provider. */
  readonly level?: string | undefined;
  /** Ms since the epoch; now unless given. An identity provider may have asked the user some time ago. */
  readonly at?: number | undefined;
}

/** What makes a session. */
export type SessionInput<Payload extends object, Data extends object> = {
  readonly userId: string;
  /** `public` unless given. */
  readonly tenantId?: string | undefined;
  /** How the user has authenticated; now, and without methods, unless given. */
  readonly auth?: LoginAuth | undefined;
  /**
   * The login at an identity provider (OpenID Connect) that the session comes from: `iss`, `sub` and `sid` of its ID token. A
   * logout there ends the session.
   */
  readonly identityProvider?: ProviderLogin | undefined;
  /** The user agent unless given. */
  readonly device?: string | undefined;
} & Given<"payload", Payload> &
  Given<"data", Data>;

/** Whose payload is wanted, and what it is now. */
export interface PayloadOwner {
  readonly userId: string;
  readonly tenantId: string;
  /** What is stored, which may be of an earlier release; undefined where nothing is yet. */
  readonly payload: unknown;
}

export type LoadPayload<Payload extends object> = (owner: PayloadOwner) => Payload | Promise<Payload>;
export type MigratePayload<Payload extends object> = (old: unknown) => Payload | Promise<Payload>;
