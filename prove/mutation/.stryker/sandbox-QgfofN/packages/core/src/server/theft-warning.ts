import type { SessionEngine } from "@pawl/engine";
import type { Logger } from "pino";

/**
 * The engine, with a line in the log for each theft that a refresh finds, whichever dialect asked: whose session it
 * was, the configured action, and how many sessions it ended (0 with `report`). Never a token.
 */
export const warningOfThefts = (engine: SessionEngine, log: Logger): SessionEngine => ({
  ...engine,
  async refreshSession(input) {
    const outcome = await engine.refreshSession(input);
    if (outcome.kind === "token_reuse") {
      const { session, ended } = outcome;
      log.warn({ ...session, action: engine.policy.theftAction, ended: ended.length }, "token theft detected");
    }
    return outcome;
  },
});
