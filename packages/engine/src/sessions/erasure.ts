import type { ErasedUser, SessionReference, Storage, TenantId, UserId } from "@pawl/storage";
import { forgetActing } from "./acting.js";

/** Rows and events that one step deletes: few, so that no other call waits long behind it. */
const STEP = 50;

/**
 * Erases a user of a tenant as `Storage.eraseUser` does, in steps of a bounded size. Where it fails on the way, call it again.
 * @returns what was removed by this call.
 */
export const eraseUser = async (
  storage: Storage,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
): Promise<ErasedUser> => {
  await forgetActing(storage, user);
  const ended: SessionReference[] = [];
  let [rows, events, isLast] = [0, 0, false];
  for (;;) {
    // The last one takes what may be left in the outbox.
    const step = await (isLast ? storage.eraseUser(user) : storage.eraseUser(user, STEP));
    ended.push(...step.ended);
    rows += step.rows;
    events += step.events;
    if (isLast) return { ended, rows, events };
    isLast = step.rows < STEP && step.events < STEP;
  }
};
