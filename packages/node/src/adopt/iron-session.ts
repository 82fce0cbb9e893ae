import type { Adoption, NamedLogin } from "../options/adoption.js";

type Passwords = string | Record<string, string>;

interface IronSessions<Sealed, Payload extends object, Data extends object> {
  /** That of iron-session. */
  readonly unsealData: <Unsealed>(
    seal: string,
    options: { readonly password: Passwords; readonly ttl?: number },
  ) => Promise<Unsealed>;
  readonly cookieName: string;
  readonly password: Passwords;
  /** Seconds, as iron-session has it: 14 days unless given. */
  readonly ttl?: number | undefined;
  /** Says who is logged in with what was sealed; undefined: nobody. */
  readonly session: (sealed: Sealed) => NamedLogin<Payload, Data> | undefined;
}

/** A large session of iron-session 9 stands in up to four cookies. */
const CHUNKS = [0, 1, 2, 3];

/**
 * For `adopt`: sessions of iron-session 8 and 9. Each seal names a session, unless what `session` says has an `id`.
 * @example
 * createPawl({ storage, adopt: { until: "2027-03-31", ...fromIronSession({ unsealData, cookieName, password, session: ({ userId }) => (userId === undefined ? undefined : { userId }) }) } });
 */
export const fromIronSession = <Sealed, Payload extends object = never, Data extends object = never>({
  unsealData,
  cookieName,
  password,
  ttl,
  session,
}: IronSessions<Sealed, Payload, Data>): Pick<Adoption<Payload, Data>, "cookies" | "load"> => {
  const chunkNames = CHUNKS.map((index) => `${cookieName}.${index}`);
  return {
    cookies: [cookieName, ...chunkNames],
    async load(request) {
      const chunks = chunkNames.map((name) => request.cookie(name) ?? "");
      const seal = request.cookie(cookieName) || chunks.slice(0, [...chunks, ""].indexOf("")).join("");
      if (seal === "") return undefined;
      // What is forged, or has expired, is `{}` there.
      const sealed = await unsealData<Sealed & object>(seal, { password, ...(ttl !== undefined && { ttl }) });
      const login = Object.keys(sealed).length === 0 ? undefined : session(sealed);
      // Behind the tilde anything may stand: iron-session does not look at it.
      return login && { id: seal.split("~", 1)[0] ?? "", ...login };
    },
  };
};
