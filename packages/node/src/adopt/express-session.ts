import { createHmac, timingSafeEqual } from "node:crypto";
import type { Adoption, NamedLogin } from "../options/adoption.js";

/** A store of express-session: in memory, connect-redis, connect-pg-simple or another. */
interface ExpressStore<Stored> {
  get(id: string, callback: (error: unknown, stored?: Stored | null) => void): void;
}

interface ExpressSessions<Stored, Payload extends object, Data extends object> {
  readonly store: ExpressStore<Stored>;
  /** As express-session has it: the first signs, all verify. */
  readonly secret: string | readonly string[];
  /** `connect.sid` unless given. */
  readonly name?: string | undefined;
  /** Says who is logged in with a session of the store; undefined: nobody. */
  readonly session: (stored: Stored, id: string) => NamedLogin<Payload, Data> | undefined;
}

/** The id in a cookie `s:<id>.<base64 of HMAC-SHA256>`; undefined where no secret has signed it. */
const signedId = (value: string, secrets: readonly string[]): string | undefined => {
  const dot = value.lastIndexOf(".");
  if (!value.startsWith("s:") || dot < 0) return undefined;
  const id = value.slice("s:".length, dot);
  const shown = Buffer.from(value.slice(dot + 1));
  const isSigned = secrets.some((secret) => {
    const mac = Buffer.from(createHmac("sha256", secret).update(id).digest("base64").replace(/=+$/u, ""));
    return mac.length === shown.length && timingSafeEqual(mac, shown);
  });
  return isSigned ? id : undefined;
};

/** A file store says so of a session that it does not have. */
const isMissing = (error: unknown): boolean => (error as { readonly code?: unknown } | null)?.code === "ENOENT";

/**
 * For `adopt`: sessions of express-session, in any of its stores.
 * @example
 * createPawl({ storage, adopt: { until: "2027-03-31", ...fromExpressSession({ store, secret, session: ({ userId }) => (userId === undefined ? undefined : { userId }) }) } });
 */
export const fromExpressSession = <Stored, Payload extends object = never, Data extends object = never>({
  store,
  secret,
  name = "connect.sid",
  session,
}: ExpressSessions<Stored, Payload, Data>): Pick<Adoption<Payload, Data>, "cookies" | "load"> => ({
  cookies: [name],
  async load(request) {
    const id = signedId(request.cookie(name) ?? "", [secret].flat());
    if (id === undefined) return undefined;
    const stored = await new Promise<Stored | null | undefined>((resolve, reject) => {
      store.get(id, (error, found) => {
        if (error === undefined || error === null) resolve(found);
        else if (isMissing(error)) resolve(undefined);
        else
          reject(error instanceof Error ? error : new Error("the store of express-session failed", { cause: error }));
      });
    });
    const login = stored === undefined || stored === null ? undefined : session(stored, id);
    return login && { id, ...login };
  },
});
