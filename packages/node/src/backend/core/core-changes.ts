import {
  type Changed,
  dataText,
  EngineError,
  payloadText,
  type RefusedOutcome,
  type RegenerateOutcome,
} from "@pawl/engine";
import type { SessionBackend } from "../session-backend.js";
import type { CoreClient, Reply } from "./core-client.js";

type Changes = Pick<SessionBackend, "updateData" | "updatePayload" | "regenerate" | "stepUp" | "actAs" | "actAsSelf">;

type Regenerated = Extract<RegenerateOutcome, { kind: "regenerated" }>;

const PROBLEMS = ["unauthorised", "outdated", "acting_refused", "invalid_input", "payload_too_large"] as const;

/** The client's ways to change a session. What it has changed is marked in this process before the caller hears of it. */
export const createCoreChanges = (
  core: CoreClient,
  {
    isHandle,
    markChanged,
  }: { readonly isHandle: (handle: string) => boolean; readonly markChanged: (changed: Changed) => void },
): Changes => {
  const regenerated = (reply: Reply<"stepUp">): RegenerateOutcome | RefusedOutcome => {
    if (reply.kind === "success") {
      const { changedAt, ...answer } = reply.body as unknown as Regenerated;
      const { handle, payloadVersion } = answer.session;
      if (changedAt !== undefined) markChanged({ handle, payloadVersion, at: changedAt });
      return { ...answer, kind: "regenerated" };
    }
    const { code, message, why } = reply;
    if (code === "unauthorised") return { kind: "unauthorised", why: "no_session", message };
    // Its rules are the core's to know.
    if (code === "invalid_input" || code === "payload_too_large") throw new EngineError(code, message);
    // Without a reason it is a token that cannot say who acts: one of ours can.
    return code === "acting_refused" && (why === "acting" || why === "self")
      ? { kind: "refused", why, message }
      : { kind: "outdated", message };
  };

  const changes: Changes = {
    async updateData(handle, data, { as } = {}) {
      dataText(data);
      if (!isHandle(handle)) return false;
      const body = { data, as };
      return (await core.ask("updateSessionData", { handle, body }, ["session_not_found"])).kind === "success";
    },

    async updatePayload(handle, payload, { form = "v5", announced, expectedVersion } = {}) {
      payloadText(payload, form);
      if (!isHandle(handle)) return false;
      const body = { payload, form, announced, expectedVersion } as never;
      const reply = await core.ask("updatePayload", { handle, body }, ["session_not_found"]);
      if (reply.kind !== "success") return false;
      if (announced !== false) markChanged(reply.body as unknown as Changed);
      return true;
    },

    async regenerate(accessToken, payload, change) {
      const reply = await core.ask("regenerateSession", { body: { accessToken, payload, ...change } }, PROBLEMS);
      return regenerated(reply) as RegenerateOutcome;
    },

    async stepUp(accessToken, { methods, level, bindable }) {
      const body = { accessToken, auth: { methods: [...methods], level }, bindable };
      return regenerated(await core.ask("stepUp", { body }, PROBLEMS));
    },

    actAs: async (accessToken, input) =>
      regenerated(await core.ask("actAs", { body: { accessToken, ...input } }, PROBLEMS)),

    actAsSelf: async (accessToken) =>
      regenerated(await core.ask("actAsSelf", { body: { accessToken } }, PROBLEMS)) as RegenerateOutcome,
  };
  return changes;
};
