import type { EventRecord, SessionId, SessionRecord, Storage } from "@pawl/storage";
import type { Policy } from "../policy.js";
import type { Counts } from "../counts/counts.js";
import type { RevocationMarks } from "../revocation/revocation-feed.js";
import type { Revocation } from "../revocation/revocation.js";
import type { RefreshOutcome } from "../session.js";
import { handleOf } from "../session-handle.js";
import { createTwoGenerations } from "../two-generations.js";

/** How many sessions a process knows of, about, whose theft needs nothing more. */
const MOST_SETTLED = 1000;

/** What the policy wants done about a theft. */
export interface TheftAction {
  /** @returns undefined when the row has changed: decide again. */
  apply(
    record: SessionRecord,
    event: EventRecord,
  ): Promise<Extract<RefreshOutcome, { kind: "token_reuse" }> | undefined>;
  /**
   * Goes on with what stopped half-way, at the next sight of any token of a session that has ended: ends what its user still
   * has of the time before the theft.
   */
  finish(record: SessionRecord): Promise<void>;
}

export const createTheftAction = ({
  policy,
  storage,
  marks,
  counts,
  revokeAfterTheft,
}: Pick<Revocation, "revokeAfterTheft"> & {
  readonly policy: Pick<Policy, "theftAction">;
  readonly storage: Storage;
  readonly marks: RevocationMarks;
  readonly counts: Pick<Counts, "add">;
}): TheftAction => {
  const settled = createTwoGenerations<SessionId, true>({ most: MOST_SETTLED });

  return {
    async apply(record, event) {
      const { id, tenantId, userId } = record;
      const session = { handle: handleOf(record), tenantId, userId };
      if (policy.theftAction === "report") {
        await storage.appendEvents([event]);
        counts.add("theft", tenantId);
        return { kind: "token_reuse", session, ended: [] };
      }
      const reason = "token_reuse";
      const applied = await storage.applyRotation(record, { kind: "end", reason, events: [event] });
      if (applied.kind === "conflict") return undefined;
      counts.add("theft", tenantId);
      const stolen = marks.mark(applied.ended, { at: applied.now, reason });
      if (policy.theftAction !== "revoke_user") return { kind: "token_reuse", session, ended: stolen };
      const others = await revokeAfterTheft({ tenantId, userId, at: applied.now });
      settled.set(id, true);
      return { kind: "token_reuse", session, ended: [...stolen, ...others] };
    },

    async finish({ id, tenantId, userId, endReason, endedAt }) {
      if (policy.theftAction !== "revoke_user" || endReason !== "token_reuse" || endedAt === undefined) return;
      if (settled.get(id) === true) return;
      // The others that a theft ended have the same reason, but not the event; what came after it has nothing to do with it.
      const { items } = await storage.listEvents({ sessionId: id, types: ["token_reuse"] }, { limit: 1 });
      if (items.length > 0) await revokeAfterTheft({ tenantId, userId, at: endedAt });
      settled.set(id, true);
    },
  };
};
