// The real engine, as it is embedded: one session after the other, uses reported as the SDK reports them.
import { activityInterval, createEngine, createUseNotes, defaultPolicy, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage, millis } from "@pawl/storage";
import { createDevice } from "../device-binding/device.mjs";
import { userId } from "../identifiers.mjs";

const MINUTE = 60_000;
/** As the guide advises for bound sessions. */
const BOUND_ACCESS = 10 * MINUTE;

/** @type {(isBound: boolean) => import("./rules.mjs").Rule["open"]} */
const openPawl = (isBound) => async (clock) => {
  const engine = await createEngine({
    storage: new MemoryStorage({ clock }),
    masterKeys: parseMasterKeys(Buffer.alloc(32, 7).toString("base64")),
    policy: isBound ? { deviceBinding: "prefer", accessTokenValidity: millis(BOUND_ACCESS) } : {},
  });
  const device = createDevice();
  let handle = "";
  let challenge = "";
  const worthReporting = createUseNotes();
  const useRules = { reuseWindow: defaultPolicy.reuseWindow, activityInterval: activityInterval(defaultPolicy) };
  /** @type {(issued: import("@pawl/engine").IssuedSession) => import("./rules.mjs").Tokens} */
  const tokensOf = ({ accessToken, refreshToken }) => ({
    access: accessToken.token,
    refresh: refreshToken.token,
    accessUntil: accessToken.expiry,
  });
  return {
    async logIn() {
      if (handle !== "") await engine.revokeSessions([handle]);
      await engine.sweep();
      const login = await engine.createSession({ userId: userId("victim"), form: "pawl", bindable: isBound });
      handle = login.session.handle;
      if (login.registration === undefined) return tokensOf(login);
      const bound = await engine.bindSession({
        refreshTokens: [login.refreshToken.token],
        proof: device.registration(login.registration),
        form: "pawl",
      });
      if (bound.kind !== "bound" || bound.issued === undefined) throw new Error(`the registration is ${bound.kind}`);
      challenge = bound.challenge;
      return tokensOf(bound.issued);
    },
    async refresh(refreshToken, withKey) {
      const ask = () =>
        engine.refreshSession({
          refreshToken,
          form: "pawl",
          ...(isBound && withKey ? { boundSession: handle, proof: device.proof(challenge) } : {}),
        });
      let outcome = await ask();
      if (outcome.kind === "unproven" && withKey) {
        ({ challenge } = outcome);
        outcome = await ask();
      }
      if (outcome.kind === "refreshed") return { kind: "refreshed", tokens: tokensOf(outcome) };
      return { kind: outcome.kind === "token_reuse" ? "alarm" : "refused" };
    },
    async use(accessToken) {
      const verified = await engine.verifyAccessToken({ accessToken });
      if (verified.kind !== "valid") return verified.kind === "try_refresh" ? "expired" : "ended";
      const use = worthReporting(verified.claims, clock.time, useRules);
      if (use !== undefined) await engine.reportUses([use]);
      return "valid";
    },
    close: () => engine.close(),
  };
};

/** @type {readonly import("./rules.mjs").Rule[]} */
export const rulesOfPawl = [
  { name: "Pawl", open: openPawl(false) },
  { name: "Pawl, bound to a device", open: openPawl(true), isBound: true },
];
