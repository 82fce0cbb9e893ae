import { type Span, SpanKind, type Telemetry } from "@pawl/engine/telemetry";
import type { VerifyOutcome } from "@pawl/engine";
import type { RefreshAnswer, SessionBackend } from "../session-backend.js";

const outcomeOf = (answer: RefreshAnswer): string =>
  answer.kind === "refreshed" ? (answer.minted ? "rotated" : "repeated") : answer.kind;

/** The client of a core, with what the engine counts in process counted by its answers. */
export const measuredBackend = (backend: SessionBackend, telemetry: Telemetry): SessionBackend => {
  const count = (outcome: VerifyOutcome): VerifyOutcome => {
    telemetry.count("pawl.verifications", outcome.kind);
    return outcome;
  };
  const internal = (name: string) => ({ name, kind: SpanKind.INTERNAL });
  const login = internal("pawl login");
  const refresh = internal("pawl refresh");
  const tellRefresh = {
    result(answer: RefreshAnswer, span: Span): void {
      const name = outcomeOf(answer);
      telemetry.count("pawl.refreshes", name === "other_session" ? "unauthorised" : name);
      if (name === "token_reuse") telemetry.count("pawl.thefts");
      span.setAttribute("pawl.outcome", name);
    },
    failure: (): void => telemetry.count("pawl.refreshes", "failed"),
  };
  const tellLogin = { result: (): void => telemetry.count("pawl.logins") };
  const measured: Pick<SessionBackend, "verify" | "create" | "refresh" | "adopt" | "close"> = {
    verify(input) {
      const outcome = backend.verify(input);
      return outcome instanceof Promise ? outcome.then(count) : count(outcome);
    },
    create: (input) => telemetry.within(login, () => backend.create(input), tellLogin),
    refresh: (input) => telemetry.within(refresh, () => backend.refresh(input), tellRefresh),
    // By what stands for a refresh token.
    adopt: (input) => telemetry.within(refresh, () => backend.adopt(input), tellRefresh),
    async close() {
      telemetry.close();
      await backend.close();
    },
  };
  const own = Object.entries(measured).map(([name, value]) => [name, { value }] as const);
  // Not a copy: a backend's settings change.
  return Object.create(backend, Object.fromEntries(own)) as SessionBackend;
};
