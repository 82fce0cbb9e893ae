import { createTheftReports, type RefreshOutcome, type SessionEngine } from "@pawl/engine";
import type { Logger } from "pino";

/**
 * The engine, with a line in the log for each theft that a refresh or an adoption finds, whichever dialect asked: whose
 * session it was, the configured action, how many sessions it ended (0 with `report`), and how many thefts the line
 * stands for: there is one line per session and hour. Never a token.
 */
export const warningOfThefts = (engine: SessionEngine, log: Logger): SessionEngine => {
  const reports = createTheftReports();
  const warned = (outcome: RefreshOutcome): RefreshOutcome => {
    if (outcome.kind === "token_reuse") {
      const { session, ended } = outcome;
      const count = reports(session.handle, engine.storage.now());
      if (count !== undefined)
        log.warn({ ...session, action: engine.policy.theftAction, ended: ended.length, count }, "token theft detected");
    }
    return outcome;
  };
  return {
    ...engine,
    refreshSession: async (input) => warned(await engine.refreshSession(input)),
    adoptSession: async (input) => warned(await engine.adoptSession(input)),
  };
};
