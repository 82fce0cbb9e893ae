import type { TenantId } from "@pawl/storage";
import { isTenantId } from "../session-handle.js";

/** An identity provider (OpenID Connect) that may end the sessions of its logins. */
export interface IdentityProvider {
  /** Its name, to the letter: what its metadata and tokens say in `issuer` and `iss`. */
  readonly issuer: string;
  /** What it calls this application: the `aud` of its tokens. */
  readonly clientId: string;
  /** Where its public keys are; its metadata (`/.well-known/openid-configuration`) say it unless given. */
  readonly jwksUri?: string | undefined;
  /** Only sessions of this tenant end; `public` unless given. */
  readonly tenantId?: string | undefined;
  /** Whether sessions of all tenants end, whatever `tenantId` says. */
  readonly acrossTenants?: boolean | undefined;
}

/** What an identity provider has to be, for messages. */
export const PROVIDER_FORM =
  "{ issuer, clientId, jwksUri?, tenantId?, acrossTenants? }, the issuer a URL such as https://id.example.com";

const isUrl = (value: unknown, pattern: RegExp): boolean =>
  typeof value === "string" && value.length <= 512 && pattern.test(value) && URL.canParse(value);

const members: Readonly<Record<keyof IdentityProvider, (value: unknown) => boolean>> = {
  // Without query and fragment (OpenID Connect Core 1.0, section 2).
  issuer: (value) => isUrl(value, /^https?:[\x21\x22\x24-\x3e\x40-\x7e]+$/i),
  clientId: (value) => typeof value === "string" && value !== "",
  jwksUri: (value) => value === undefined || isUrl(value, /^https?:[\x21-\x7e]+$/i),
  tenantId: (value) => value === undefined || (typeof value === "string" && isTenantId(value)),
  acrossTenants: (value) => value === undefined || typeof value === "boolean",
};

/** Whether a value can be used as an identity provider. A member that means nothing would silently not hold. */
export const isIdentityProvider = (value: unknown): value is IdentityProvider & { readonly tenantId?: TenantId } => {
  if (typeof value !== "object" || value === null) return false;
  const given = value as Readonly<Record<string, unknown>>;
  return (
    Object.keys(given).every((name) => Object.hasOwn(members, name)) &&
    Object.entries(members).every(([name, isRight]) => isRight(given[name]))
  );
};
