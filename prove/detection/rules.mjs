// What others do with a refresh token that comes back, in the shortest form that plays: one session, known to all verifiers at once.

/**
 * What came of a refresh: `alarm` ends the session, `refused` says no and nothing else.
 * @typedef {{ kind: "refreshed", tokens: Tokens } | { kind: "alarm" } | { kind: "refused" }} Exchange
 * @typedef {{ access: any, refresh: any, accessUntil: number }} Tokens
 * @typedef {object} Server one session after the other
 * @property {() => Promise<Tokens>} logIn
 * @property {(refresh: any, withKey: boolean) => Promise<Exchange>} refresh `withKey`: the browser's own key comes with it
 * @property {(access: any) => Promise<"valid" | "expired" | "ended">} use
 * @property {() => Promise<void>} close
 * @typedef {import("../clock.mjs").ProofClock} Clock
 * @typedef {{ name: string, open: (clock: Clock) => Promise<Server>, isBound?: boolean }} Rule
 */

const HOUR = 3_600_000;

/**
 * @typedef {object} Token
 * @property {{ ended: boolean, newest?: Token }} session
 * @property {Token} [parent]
 * @property {number} [usedAt]
 */

/**
 * @param {Clock} clock
 * @param {(token: Token) => Token | undefined} rotate the successor; undefined: nobody honest could have sent this one
 * @param {(token: Token) => boolean} confirm what the use of an access token that was issued with `token` does; false: refused
 * @returns {Server}
 */
const createServer = (clock, rotate, confirm) => {
  /** @type {(token: Token) => Tokens} */
  const issue = (token) => {
    const accessUntil = clock.time + HOUR;
    return { refresh: token, access: { token, until: accessUntil }, accessUntil };
  };
  return {
    async logIn() {
      /** @type {Token} */
      const first = { session: { ended: false } };
      first.session.newest = first;
      return issue(first);
    },
    async refresh(/** @type {Token} */ token) {
      const { session } = token;
      if (session.ended) return { kind: "refused" };
      const successor = rotate(token);
      session.ended = successor === undefined;
      return successor === undefined ? { kind: "alarm" } : { kind: "refreshed", tokens: issue(successor) };
    },
    async use({ token, until }) {
      if (token.session.ended) return "ended";
      if (clock.time >= until) return "expired";
      return confirm(token) ? "valid" : "ended";
    },
    close: async () => undefined,
  };
};

/**
 * Each refresh token counts once (RFC 9700 section 4.14.2), or once more for some seconds after it was used.
 * @type {(grace: number) => Rule["open"]}
 */
const onceWithin = (grace) => async (clock) =>
  createServer(
    clock,
    (token) => {
      if (token.usedAt !== undefined && clock.time - token.usedAt >= grace) return undefined;
      token.usedAt ??= clock.time;
      return { session: token.session, parent: token };
    },
    () => true,
  );

/** A successor takes its parent's place when it, or its access token, is used for the first time; until then both count. */
const promotion = async (/** @type {Clock} */ clock) => {
  const confirm = (/** @type {Token} */ token) => {
    if (token.parent !== undefined && token.parent === token.session.newest) token.session.newest = token;
    return token === token.session.newest;
  };
  return createServer(
    clock,
    (token) => (confirm(token) ? { session: token.session, parent: token } : undefined),
    confirm,
  );
};

/** @type {readonly Rule[]} */
export const rulesOfOthers = [
  { name: "strict (RFC 9700)", open: onceWithin(0) },
  { name: "grace of 30 s", open: onceWithin(30_000) },
  { name: "promotion on first use", open: promotion },
];
