import { type Span, SpanKind } from "@opentelemetry/api";
import type { SessionEngine } from "../session-engine.js";
import type { RefreshOutcome } from "../session.js";
import type { Telemetry } from "./telemetry.js";

const outcomeOf = (outcome: RefreshOutcome): string =>
  outcome.kind === "refreshed" ? (outcome.minted ? "rotated" : "repeated") : outcome.kind;

/**
 * The same engine, with logins, refreshes, thefts and verifications counted, and with gauges of what it knows. Logins and
 * refreshes are spans; a verification is none, for it takes less time than a span.
 */
export const measuredEngine = (engine: SessionEngine, telemetry: Telemetry): SessionEngine => {
  const { verifier, storage, policy } = engine;
  const seconds = (since: number): number => Math.max(0, storage.now() - since) / 1000;
  telemetry.setGauge("pawl.feed.lag", () => seconds(engine.revocations.readAt));
  telemetry.setGauge("pawl.revocations.known", () => verifier.marked);
  telemetry.setGauge("pawl.signing_key.age", () => {
    const active = engine
      .listSigningKeys()
      .find(
        ({ status, kind, algorithm }) =>
          status === "active" && kind === "dynamic" && algorithm === policy.signingAlgorithm,
      );
    return active && seconds(active.signsFrom);
  });
  const internal = (name: string) => ({ name, kind: SpanKind.INTERNAL });
  const login = internal("pawl login");
  const refresh = internal("pawl refresh");

  const tellRefresh = {
    result(outcome: RefreshOutcome, span: Span): void {
      const name = outcomeOf(outcome);
      telemetry.count("pawl.refreshes", name);
      if (name === "token_reuse") telemetry.count("pawl.thefts");
      span.setAttribute("pawl.outcome", name);
    },
    failure: (): void => telemetry.count("pawl.refreshes", "failed"),
  };
  const tellLogin = { result: (): void => telemetry.count("pawl.logins") };

  return {
    ...engine,
    verifier: Object.create(verifier, {
      verify: {
        value: (input: Parameters<typeof verifier.verify>[0]) => {
          const outcome = verifier.verify(input);
          telemetry.count("pawl.verifications", outcome.kind);
          return outcome;
        },
      },
    }) as typeof verifier,
    createSession: (input) => telemetry.within(login, () => engine.createSession(input), tellLogin),
    refreshSession: (input) => telemetry.within(refresh, () => engine.refreshSession(input), tellRefresh),
    // By what stands for a refresh token.
    adoptSession: (input) => telemetry.within(refresh, () => engine.adoptSession(input), tellRefresh),
    async verifyAccessToken(input) {
      const outcome = await engine.verifyAccessToken(input);
      telemetry.count("pawl.verifications", outcome.kind);
      return outcome;
    },
    async confirmAccessToken(input) {
      const outcome = await engine.confirmAccessToken(input);
      telemetry.count("pawl.verifications", outcome.kind);
      return outcome;
    },
  };
};
