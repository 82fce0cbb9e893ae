import { describe, expect, test, vi } from "vitest";
import { feedStream } from "../../src/dialects/v1/feed-stream.js";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";

describe("a reader's own feed, with nothing to wait for", () => {
  /** A store that gives each reader these pages, one a look; then nothing is new. */
  const feed = (...pages: readonly (readonly string[])[]) => {
    const asked: string[] = [];
    const listeners = new Set<() => void>();
    const engine = {
      async revocationsSince({ cursor = "0" }: { readonly cursor?: string } = {}) {
        asked.push(cursor);
        const revoked = (pages[Number(cursor)] ?? []).map((handle) => ({ handle, at: 1 }));
        return { revoked, cursor: String(Number(cursor) + 1) };
      },
      revocations: {
        subscribe(listener: () => void) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    };
    const closing = new AbortController();
    const written: string[] = [];
    const take = async (text: string): Promise<void> => void written.push(text);
    const run = async (cursor?: string, write = take) =>
      (await feedStream(engine as never, { cursor, heartbeat: 60_000 })).run({ closed: closing.signal, write });
    return { asked, listeners, written, run, close: () => closing.abort() };
  };
  const handlesIn = (texts: readonly string[]) =>
    texts.map((text) => [...text.matchAll(/"handle":"(\w+)"/g)].map((it) => it[1]));

  test("looks again at once, from where it stands, and tells nothing again that the page before held", async () => {
    const { asked, listeners, written, run, close } = feed(["a"], ["a", "b"], ["b"], ["a"]);
    const running = run();
    await vi.waitUntil(() => asked.length === 3, 20_000);
    expect(handlesIn(written)).toEqual([["a"], ["b"]]);
    for (const listener of listeners) listener();
    await vi.waitUntil(() => written.length === 3, 20_000);
    expect(handlesIn(written)[2]).toEqual(["a"]);
    expect(asked).toEqual(["0", "1", "2", "3", "4"]);
    close();
    await running;
    expect([listeners.size, asked.length]).toEqual([0, 5]);
  });

  test("finds what was revoked before it listened, and begins where it is told to", async () => {
    const { asked, written, run, close } = feed(["x"], [], ["a"]);
    const running = run("1");
    await vi.waitUntil(() => asked.length === 3, 20_000);
    expect([asked, handlesIn(written)]).toEqual([["1", "2", "3"], [["a"]]]);
    close();
    await running;
  });

  test("a reader that does not read holds up nobody", async () => {
    const { written, run, close } = feed(["a"], ["b"], ["c"]);
    void run("0", () => new Promise(() => undefined));
    const running = run();
    await vi.waitUntil(() => written.length === 3, 20_000);
    close();
    await running;
  });
});

interface Message {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
  readonly comment?: string;
}

/** Reads server-sent events as they come: WHATWG HTML section 9.2, as far as the feed uses it. */
const follow = async (core: ListeningCore, query = "", headers: Record<string, string> = {}) => {
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${core.port}/v1/revocations${query}`, {
    headers,
    signal: abort.signal,
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    response,
    stop: () => abort.abort(),
    /** The next message, or undefined at the end. */
    async next(): Promise<Message | undefined> {
      while (!text.includes("\n\n")) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
      }
      const end = text.indexOf("\n\n");
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      return Object.fromEntries(
        lines.map((line) => {
          const colon = line.indexOf(":");
          return [colon === 0 ? "comment" : line.slice(0, colon), line.slice(colon + 1).trim()];
        }),
      );
    },
  };
};

const createFor = async (core: ListeningCore, userId: string): Promise<string> =>
  (await core.send("POST", "/v1/sessions", { body: { userId } })).json.session.handle as string;
const revoke = (core: ListeningCore, handles: readonly string[]) =>
  core.send("POST", "/v1/sessions/revoke", { body: { handles } });
const handleIn = (message: Message | undefined): string => (JSON.parse(message!.data!) as { handle: string }).handle;

test("tells what is revoked while it is read, and what was revoked within one access token lifetime", async () => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const handles = [await createFor(core, "a"), await createFor(core, "b"), await createFor(core, "c")] as const;
  await revoke(core, [handles[0]]);
  const feed = await follow(core);
  expect(feed.response.status).toBe(200);
  expect(feed.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(feed.response.headers.get("cache-control")).toBe("no-store");
  const first = await feed.next();
  expect(first).toEqual({
    event: "revoked",
    id: expect.any(String) as string,
    data: JSON.stringify({ handle: handles[0], at: clock.now() }),
  });
  await revoke(core, [handles[1]]);
  expect(handleIn(await feed.next())).toBe(handles[1]);
  // A logout, a theft and an administrator are told alike.
  await core.send("DELETE", "/session", { body: { sessionHandle: handles[2] } });
  expect(handleIn(await feed.next())).toBe(handles[2]);
  feed.stop();
});

test.each(["Last-Event-ID", "cursor"])("resumes by %s where it was cut, and misses nothing", async (way) => {
  const core = await listen();
  const handles: string[] = [];
  for (let index = 0; index < 6; index++) handles.push(await createFor(core, `user-${index}`));
  const feed = await follow(core);
  await revoke(core, handles.slice(0, 1));
  const { id } = (await feed.next())!;
  feed.stop();
  await revoke(core, handles.slice(1));
  const resumed =
    way === "cursor"
      ? await follow(core, `?cursor=${encodeURIComponent(id!)}`)
      : await follow(core, "", { "last-event-id": id! });
  const seen: string[] = [];
  let last: Message | undefined;
  while (seen.length < 5) {
    last = await resumed.next();
    seen.push(handleIn(last));
  }
  expect(seen.toSorted()).toEqual(handles.slice(1).toSorted());
  expect(last!.id).toEqual(expect.any(String));
  resumed.stop();
});

test("a batch carries its cursor on its last message alone, so that a cut within it repeats instead of losing", async () => {
  const core = await listen();
  const handles: string[] = [];
  for (let index = 0; index < 4; index++) handles.push(await createFor(core, "one"));
  await revoke(core, handles);
  const feed = await follow(core);
  const ids = [];
  for (let index = 0; index < 4; index++) ids.push((await feed.next())!.id);
  expect(ids.map((id) => id !== undefined)).toEqual([false, false, false, true]);
  feed.stop();
});

test("a cursor of another life of the store starts one access token lifetime ago", async () => {
  const core = await listen();
  const handle = await createFor(core, "a");
  await revoke(core, [handle]);
  const feed = await follow(core, "?cursor=another-epoch.17");
  expect(handleIn(await feed.next())).toBe(handle);
  feed.stop();
});

test("a comment is sent on a silent stream, and nothing twice", async () => {
  const core = await listen({}, { limits: { heartbeat: 20 } });
  const handle = await createFor(core, "a");
  await revoke(core, [handle]);
  const feed = await follow(core);
  expect(handleIn(await feed.next())).toBe(handle);
  for (let index = 0; index < 3; index++) expect(await feed.next()).toEqual({ comment: "still here" });
  feed.stop();
});

test("ends when the core stops", async () => {
  const core = await listen();
  const feed = await follow(core);
  const ending = feed.next();
  await core.close();
  expect(await ending).toBeUndefined();
});
