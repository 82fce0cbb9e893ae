import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { eventsBetween } from "../src/events.js";
import type { SharedSession } from "../src/shared-session.js";
import { snapshotOf } from "../src/snapshot.js";
import { frontToken } from "./globals.js";

const record = (more: Partial<SharedSession> = {}): SharedSession => ({ generation: 1, endedAt: 0, ...more });
const live = (front: Parameters<typeof frontToken>[0]) => record({ front: frontToken(front) });
const CREATED = { type: "created", userId: "u1", payload: { a: 1 } };

test.each([
  ["nobody, still", record(), record(), []],
  ["an end", live({}), record({ reason: "token_reuse" }), [{ type: "ended", reason: "token_reuse" }]],
  ["an end without a reason", live({}), record(), [{ type: "ended", reason: "unauthorised" }]],
  ["a login", record(), live({ payload: { a: 1 } }), [CREATED]],
  ["a login after an end", record({ reason: "idle" }), live({ payload: { a: 1 } }), [CREATED]],
  ["another login", live({ handle: "h0" }), live({ payload: { a: 1 } }), [CREATED]],
  ["somebody who acts for another user", live({ userId: "admin" }), live({ payload: { a: 1 } }), [CREATED]],
  ["a refresh", live({ payload: { a: 1 } }), live({ payload: { a: 1 } }), [{ type: "refreshed" }]],
  [
    "a refresh with another payload",
    live({ payload: { a: 1 } }),
    live({ payload: { a: 2 } }),
    [{ type: "refreshed" }, { type: "payload_changed", payload: { a: 2 } }],
  ],
])("%s", (_, before, after, events) => {
  const [was, now] = [snapshotOf(before), snapshotOf(after)];
  expect(eventsBetween(was, isDeepStrictEqual(was, now) ? was : now)).toEqual(events);
});
