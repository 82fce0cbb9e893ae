import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pawl } from "../src/index.js";
import { SessionError } from "../src/session-error.js";
import { modes, type Running } from "./modes.js";

const response = () => ({ req: { headers: {} }, getHeader: () => undefined, setHeader: () => undefined });

/** Every function that takes a user id. */
const ofUsers: Readonly<Record<string, (pawl: Pawl, userId: string) => Promise<unknown>>> = {
  createNewSession: async (pawl, userId) => (await pawl.createNewSession(response(), userId)).getUserId(),
  "tokens.createNewSession": async (pawl, userId) => (await pawl.tokens.createNewSession(userId)).session.userId,
  getAllSessionHandlesForUser: async (pawl, userId) => (await pawl.getAllSessionHandlesForUser(userId)).length,
  "sessions.listForUser": async (pawl, userId) =>
    (await pawl.sessions.listForUser(userId)).map((session) => session.userId),
  revokeAllSessionsForUser: (pawl, userId) => pawl.revokeAllSessionsForUser(userId),
};

/** Every function that takes a session handle. */
const ofSessions: Readonly<Record<string, (pawl: Pawl, handle: string) => Promise<unknown>>> = {
  getSessionData: (pawl, handle) => pawl.getSessionData(handle),
  updateSessionData: (pawl, handle) => pawl.updateSessionData(handle, { a: 1 }),
  "sessions.get": (pawl, handle) => pawl.sessions.get(handle),
  "sessions.updatePayload": (pawl, handle) => pawl.sessions.updatePayload(handle, { a: 1 }),
  "sessions.explain": (pawl, handle) => pawl.sessions.explain(handle),
  revokeSessionUsingSessionHandle: (pawl, handle) => pawl.revokeSessionUsingSessionHandle(handle),
};

const unstorable = ["\uD800", "a\uDC00b", "\uDC00\uD800", "\0", "a\0b"];
const noTexts = [undefined, null, 5, {}, ["user"]] as unknown as readonly string[];
const odd = [
  "",
  ".",
  "..",
  "a/b",
  "a b",
  "a+b",
  "%00",
  "%ED%A0%80",
  "?x=1&userId=y#z",
  "__proto__",
  "é",
  "😀",
  "\uFFFF",
];
const long = ["x".repeat(512), "x".repeat(513), "é".repeat(256), "é".repeat(257), "😀".repeat(200)];

/** The user whom a text that was changed on its way names. */
const MISTAKEN = "\uFFFD";

let both: readonly Running[] = [];
beforeAll(async () => {
  both = await Promise.all(modes.map(({ start }) => start()));
  for (const { pawl } of both) await pawl.tokens.createNewSession(MISTAKEN);
});
afterAll(() => Promise.all(both.map((running) => running.close())));

const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) =>
      SessionError.isErrorFromAuth(error) ? { code: error.code, message: error.message } : { error },
  );

/** What a call comes to, which has to be the same in process and with a core. */
const sameOutcome = async (call: (pawl: Pawl, id: string) => Promise<unknown>, id: string): Promise<unknown> => {
  const [embedded, withCore] = await Promise.all(both.map(({ pawl }) => outcomeOf(call(pawl, id))));
  expect(withCore, JSON.stringify(id)).toEqual(embedded);
  return embedded;
};

test.each(Object.entries(ofUsers))("%s refuses what names no user, and takes what does, alike", async (_, call) => {
  for (const id of [...unstorable, ...noTexts])
    expect(await sameOutcome(call, id), JSON.stringify(id)).toMatchObject({
      code: "GENERAL_ERROR",
      message: expect.stringMatching(/^userId must (be a text|not hold U\+0000 or a lone surrogate)$/) as string,
    });
  for (const id of [...odd, ...long]) await sameOutcome(call, id);
});

test.each(Object.entries(ofSessions))("%s knows no session by what is no handle, alike", async (_, call) => {
  for (const id of [...unstorable, ...noTexts, ...odd, ...long])
    expect(await sameOutcome(call, id), JSON.stringify(id)).not.toHaveProperty("error");
});

test("property: any text names the same in process and with a core, and never another user", async () => {
  const anyText = fc
    .array(fc.oneof(fc.constantFrom(0, 0x25, 0x2b, 0x2f, 0xd800, 0xdfff, 0xfffd), fc.nat(0xffff)), { maxLength: 5 })
    .map((units) => String.fromCharCode(...units))
    .filter((text) => text !== MISTAKEN);
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      for (const call of [...Object.values(ofUsers), ...Object.values(ofSessions)]) await sameOutcome(call, text);
    }),
    { numRuns: 50 },
  );
  for (const { pawl } of both) expect(await pawl.sessions.listForUser(MISTAKEN)).toMatchObject([{ userId: MISTAKEN }]);
});
