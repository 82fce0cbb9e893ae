/** How the core's API key reads; the verifiers of the tests have it. */
export const API_KEY = "conformance-key-of-the-core-0123456789";

type Form = "v1" | "v2" | "v3" | "v4" | "v5" | "pawl";

/** What a server of keys does when it is asked. */
export type KeySetMode =
  | "ok"
  | "hang"
  | "hang in the body"
  | "cut in the body"
  | "huge"
  | "empty"
  | "nothing at all"
  | "no keys"
  | "no object"
  | "a page"
  | "an error"
  | "a redirect"
  | "no key that counts"
  | "others beside it";

/** What a scripted feed does next: a status, a text as a packet, the end of the answer, or of the connection. */
export type FeedStep = number | string;

/** JSON leaves out what is undefined, so that a member that is to be absent is named. */
export const ABSENT = "(absent)";

export interface SignInput {
  /** `rsa-…` or `ec-…`; made when it is named first. */
  readonly key: string;
  readonly form?: Form;
  readonly payload?: object;
  /** When it is made, ms from now. */
  readonly at?: number;
  readonly life?: number;
  readonly version?: number;
  /** Members in place of those that the form has, `ABSENT` for none. */
  readonly header?: object;
  readonly body?: object;
  /** The whole of it, in place of what the form has. */
  readonly headerText?: string;
  readonly bodyText?: string;
}

/** What a test may ask of the world. */
export interface Actions {
  login(input: { userId: string; payload?: object; form?: Form | undefined; algorithm?: "ES256" | "RS256" }): {
    accessToken: string;
    refreshToken: string;
    handle: string;
  };
  refresh(input: { refreshToken: string }): { accessToken: string };
  /** Sessions of a user, and the access tokens of some of them. */
  crowd(input: { userId: string; count: number; shown: number }): readonly string[];
  revoke(input: { handles: readonly string[] }): void;
  revokeUser(input: { userId: string }): number;
  change(input: { handle: string; payload: object }): void;
  power(input: { isDown: boolean }): void;
  keySet(input: { keys: readonly string[]; mode?: KeySetMode }): { url: string; id: string; keys: { keys: object[] } };
  changeKeySet(input: { id: string; keys?: readonly string[]; mode?: KeySetMode }): void;
  keySetAsked(input: { id: string }): number;
  sign(input: SignInput): string;
  forgeries(input: object): {
    real: Record<string, string>;
    forgeries: readonly { rule: string; name: string; tokens: readonly string[] }[];
  };
  feed(input: { connections: readonly (readonly FeedStep[])[] }): { url: string; id: string };
  feedAsked(input: { id: string }): readonly string[];
  /** How many connections it has now. */
  feedOpen(input: { id: string }): number;
  feedCut(input: { id: string }): void;
  introspection(input: { answer: string }): { url: string; id: string };
  introspectionAsked(input: { id: string }): readonly { authorization: string | null; body: string }[];
}

export type WorldClient = {
  readonly [Name in keyof Actions]: (input: Parameters<Actions[Name]>[0]) => Promise<ReturnType<Actions[Name]>>;
} & { readonly origin: string };

export const worldAt = (origin: string): WorldClient =>
  new Proxy({ origin } as WorldClient, {
    get: (target, name) =>
      name === "origin" || typeof name === "symbol"
        ? Reflect.get(target, name)
        : async (input: unknown) => {
            const answer = await fetch(`${origin}/${name}`, { method: "POST", body: JSON.stringify(input) });
            const text = await answer.text();
            if (answer.status !== 200) throw new Error(`${name}: ${text}`);
            return JSON.parse(text) as unknown;
          },
  });
