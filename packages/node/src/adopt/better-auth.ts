import type { Adoption, NamedLogin } from "../options/adoption.js";

/** What better-auth says of a session. */
interface BetterAuthSession {
  readonly session: { readonly id: string; readonly userId: string; readonly createdAt: Date };
  readonly user: object;
}

/** What is needed of an instance of better-auth; how its API is typed depends on its options. */
interface BetterAuth<Found extends BetterAuthSession> {
  readonly api: { readonly getSession: (context: never) => Promise<unknown> };
  readonly $Infer: { readonly Session: Found };
}

interface GetSession<Found> {
  getSession(context: {
    readonly headers: Headers;
    readonly query: { readonly disableCookieCache: true; readonly disableRefresh: true };
  }): Promise<Found | null>;
}

interface BetterAuthSessions<Found, Payload extends object, Data extends object> {
  /** `better-auth.session_token`, and the same behind `__Secure-`, unless given. */
  readonly cookies?: readonly string[] | undefined;
  /** Says more of the login, such as its payload; undefined: nobody is logged in. */
  readonly session?: ((found: Found) => Partial<NamedLogin<Payload, Data>> | undefined) | undefined;
}

const NAMES = ["better-auth.session_token", "__Secure-better-auth.session_token"];

/**
 * For `adopt`: sessions of better-auth, asked for through its API, which checks the signature of the cookie. They stay as they
 * are there, and its cookie cache is not believed.
 * @example
 * createPawl({ storage, adopt: { until: "2027-03-31", ...fromBetterAuth(auth, { session: ({ user }) => ({ payload: { name: user.name } }) }) } });
 */
export const fromBetterAuth = <
  Found extends BetterAuthSession,
  Payload extends object = never,
  Data extends object = never,
>(
  auth: BetterAuth<Found>,
  { cookies = NAMES, session = () => ({}) }: BetterAuthSessions<Found, Payload, Data> = {},
): Pick<Adoption<Payload, Data>, "cookies" | "load"> => ({
  cookies,
  async load(request) {
    const headers = new Headers({ cookie: request.header("cookie") ?? "" });
    const api = auth.api as unknown as GetSession<Found>;
    const found = await api.getSession({ headers, query: { disableCookieCache: true, disableRefresh: true } });
    const more = found === null ? undefined : session(found);
    if (found === null || more === undefined) return undefined;
    const { id, userId, createdAt } = found.session;
    return { id, userId, createdAt, ...more };
  },
});
