import { describe, expect, it, test } from "vitest";
import { forFetch } from "../src/adapters/fetch.js";
import type { Session } from "../src/index.js";
import { HOUR, siteOfTest } from "./site.js";

const start = async () => {
  const site = siteOfTest();
  await site.login("alice");
  const { handle, requireSession } = forFetch(site.pawl);
  /** Sends a request with the cookies of now. @returns what sends the head of its answer. */
  const hold = async (work: (session: Session) => unknown) => {
    const request = site.ask("/slow");
    let send = (): void => undefined;
    const sent = new Promise<void>((resolve) => (send = resolve));
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const answer = handle(request, async () => {
      await work(await requireSession(request));
      begin();
      await sent;
      return new Response();
    });
    await begun;
    return async () => {
      send();
      return site.receive(await answer).headers.getSetCookie().length;
    };
  };
  return { ...site, hold };
};

describe("an answer to Alice that is sent after Bob has logged in with her browser", () => {
  const answers = {
    "with refreshed tokens": { wait: 2 * HOUR, work: () => undefined, lines: 2 },
    "with another payload": { wait: 0, work: (session) => session.updatePayload({ role: "admin" }), lines: 1 },
  } satisfies Readonly<Record<string, { wait: number; work: (session: Session) => unknown; lines: number }>>;

  test.each(Object.entries(answers))("leaves Bob logged in: %s", async (name, { wait, work, lines }) => {
    const { clock, pawl, hold, login, visit } = await start();
    clock.advance(wait);
    const answer = await hold(work);
    await login("bob");
    await expect.poll(async () => (await pawl.sessions.list("alice")).items).toEqual([]);
    expect(await answer()).toBe(0);
    expect([name, lines, await visit("/me")]).toEqual([name, lines, "bob"]);
  });

  test.each(Object.entries(answers))(
    "and changes the cookies where nobody did: %s",
    async (_, { wait, work, lines }) => {
      const { clock, hold } = await start();
      clock.advance(wait);
      expect(await (await hold(work))()).toBe(lines);
    },
  );
});

it("an answer with refreshed tokens of a session that was ended meanwhile brings none back", async () => {
  const { clock, pawl, hold, visit } = await start();
  clock.advance(2 * HOUR);
  const answer = await hold(() => undefined);
  await pawl.sessions.endUser("alice");
  expect(await answer()).toBe(0);
  expect(await visit("/me")).toBe(null);
});
