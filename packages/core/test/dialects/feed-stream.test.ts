import { millis } from "@pawl/storage";
import { describe, expect, test, vi } from "vitest";
import { feedStream } from "../../src/dialects/v1/feed-stream.js";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";

describe("a reader's own feed, with nothing to wait for", () => {
  /** A feed that gives each reader these pages, one a look; then nothing is new. Its cursor names itself. */
  const pages = (name: string, all: readonly (readonly string[])[]) => {
    const asked: string[] = [];
    const listeners = new Set<() => void>();
    return {
      asked,
      listeners,
      feed: {
        subscribe(listener: () => void) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      async read({ cursor = `${name}0` }: { readonly cursor?: string } = {}) {
        asked.push(cursor);
        const number = Number(cursor.slice(name.length));
        return { handles: all[number] ?? [], cursor: `${name}${number + 1}` };
      },
    };
  };
  const feeds = (revoked: readonly (readonly string[])[], changed: readonly (readonly string[])[] = []) => {
    const [revocations, changes] = [pages("r", revoked), pages("c", changed)];
    const engine = {
      policy: { accessTokenValidity: 1000 },
      revocations: revocations.feed,
      changes: changes.feed,
      async revocationsSince(from?: { readonly cursor: string }) {
        const { handles, cursor } = await revocations.read(from);
        return { revoked: handles.map((handle) => ({ handle, at: 1 })), cursor };
      },
      async changesSince(from?: { readonly cursor: string }) {
        const { handles, cursor } = await changes.read(from);
        return { changed: handles.map((handle) => ({ handle, payloadVersion: 7, at: 2 })), cursor };
      },
    };
    const closing = new AbortController();
    const written: string[] = [];
    const take = async (text: string): Promise<void> => {
      if (!text.startsWith(":")) written.push(text);
    };
    const run = async (cursor?: string, write = take) =>
      (await feedStream(engine as never, { cursor, heartbeat: 60_000 })).run({ closed: closing.signal, write });
    return { revocations, changes, written, run, close: () => closing.abort() };
  };
  const handlesIn = (texts: readonly string[]) =>
    texts.map((text) => [...text.matchAll(/"handle":"(\w+)"/g)].map((it) => it[1]));

  test("looks again at once, from where it stands, and tells nothing again that the page before held", async () => {
    const { revocations, changes, written, run, close } = feeds([["a"], ["a", "b"], ["b"], ["a"]]);
    const { asked, listeners } = revocations;
    const running = run();
    await vi.waitUntil(() => asked.length === 3, 20_000);
    expect(handlesIn(written)).toEqual([["a"], ["b"]]);
    for (const listener of listeners) listener();
    await vi.waitUntil(() => written.length === 3, 20_000);
    expect(handlesIn(written)[2]).toEqual(["a"]);
    expect(asked).toEqual(["r0", "r1", "r2", "r3", "r4"]);
    expect(changes.asked).toEqual(["c0", "c1", "c2", "c3", "c4"]);
    close();
    await running;
    expect([listeners.size, changes.listeners.size, asked.length]).toEqual([0, 0, 5]);
  });

  test("a change is told as one, wakes the reader, and both feeds share a batch and its id", async () => {
    const { changes, written, run, close } = feeds([["a"]], [["a"], [], ["b"]]);
    const running = run();
    await vi.waitUntil(() => changes.asked.length === 2, 20_000);
    for (const listener of changes.listeners) listener();
    await vi.waitUntil(() => written.length === 2, 20_000);
    expect(written).toEqual([
      'event: settings\ndata: {"accessTokenValidity":1000}\n\n' +
        'event: revoked\ndata: {"handle":"a","at":1}\n\n' +
        'event: changed\ndata: {"handle":"a","payloadVersion":7,"at":2}\nid: r1|c1\n\n',
      'event: changed\ndata: {"handle":"b","payloadVersion":7,"at":2}\nid: r3|c3\n\n',
    ]);
    close();
    await running;
  });

  test("finds what happened before it listened, and begins where it is told to", async () => {
    const { revocations, changes, written, run, close } = feeds([["x"], [], ["a"]], [["x"], ["x"], [], ["b"]]);
    const running = run("r1|c2");
    await vi.waitUntil(() => revocations.asked.length === 3, 20_000);
    expect([revocations.asked, changes.asked]).toEqual([
      ["r1", "r2", "r3"],
      ["c2", "c3", "c4"],
    ]);
    expect(handlesIn(written)).toEqual([[], ["a", "b"]]);
    expect(written[0]).toBe('event: settings\ndata: {"accessTokenValidity":1000}\nid: r2|c3\n\n');
    close();
    await running;
  });

  test("half a cursor starts the other feed from its beginning", async () => {
    const { changes, written, run, close } = feeds([[], []], [["b"]]);
    const running = run("r1");
    await vi.waitUntil(() => written.length === 1, 20_000);
    expect([changes.asked[0], handlesIn(written)]).toEqual(["c0", [["b"]]]);
    close();
    await running;
  });

  test("a reader that does not read holds up nobody", async () => {
    const { written, run, close } = feeds([["a"], ["b"], ["c"]]);
    void run(undefined, () => new Promise(() => undefined));
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

/** Reads server-sent events as they come, after the settings: WHATWG HTML section 9.2, as far as the feed uses it. */
const follow = async (core: ListeningCore, query = "", headers: Record<string, string> = {}) => {
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${core.port}/v1/revocations${query}`, {
    headers,
    signal: abort.signal,
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const feed = {
    response,
    stop: () => abort.abort(),
    settings: undefined as Message | undefined,
    /** The next event, or undefined at the end. */
    async next(): Promise<Message | undefined> {
      const message = await this.nextMessage();
      return message?.comment === undefined ? message : this.next();
    },
    /** The next event or comment. */
    async nextMessage(): Promise<Message | undefined> {
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
  feed.settings = await feed.next();
  return feed;
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
    data: JSON.stringify({ handle: handles[0], at: clock.now(), reason: "revoked" }),
  });
  await revoke(core, [handles[1]]);
  expect(handleIn(await feed.next())).toBe(handles[1]);
  // A logout, a theft and an administrator are told alike.
  await core.send("DELETE", "/session", { body: { sessionHandle: handles[2] } });
  expect(handleIn(await feed.next())).toBe(handles[2]);
  feed.stop();
});

test("tells what changes, with its version, and resumes where it was cut", async () => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const handle = await createFor(core, "a");
  const change = (role: string) => core.send("PUT", `/v1/sessions/${handle}/payload`, { body: { payload: { role } } });
  const feed = await follow(core);
  await change("user");
  const first = await feed.next();
  expect(first).toEqual({
    event: "changed",
    id: expect.any(String) as string,
    data: JSON.stringify({ handle, payloadVersion: 1, at: clock.now() }),
  });
  feed.stop();
  await change("guest");
  await revoke(core, [handle]);
  const resumed = await follow(core, "", { "last-event-id": first!.id! });
  const told = [await resumed.next(), await resumed.next()].map((message) => `${message!.event} ${message!.data}`);
  expect(told.toSorted()).toEqual([
    `changed ${JSON.stringify({ handle, payloadVersion: 2, at: clock.now() })}`,
    `revoked ${JSON.stringify({ handle, at: clock.now(), reason: "revoked" })}`,
  ]);
  resumed.stop();
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

test("a reader is told how long access tokens live, at once, and where it stands when nothing happened", async () => {
  const core = await listen({ policy: { accessTokenValidity: millis(123_000) } });
  const { settings, stop } = await follow(core);
  expect(settings).toEqual({
    event: "settings",
    data: '{"accessTokenValidity":123000}',
    id: expect.any(String) as string,
  });
  stop();
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
  for (let index = 0; index < 3; index++) expect(await feed.nextMessage()).toEqual({ comment: "still here" });
  feed.stop();
});

test("a first comment says at once that everything of before was told, also where that was nothing", async () => {
  const core = await listen({}, { limits: { heartbeat: 60_000 } });
  const feed = await follow(core);
  expect(await feed.nextMessage()).toEqual({ comment: "still here" });
  const handles = [await createFor(core, "a"), await createFor(core, "b")];
  await revoke(core, handles);
  const later = await follow(core);
  const seen = [await later.nextMessage(), await later.nextMessage()].map(handleIn);
  expect(seen.toSorted()).toEqual(handles.toSorted());
  expect(await later.nextMessage()).toEqual({ comment: "still here" });
  for (const each of [feed, later]) each.stop();
});

test("ends when the core stops", async () => {
  const core = await listen();
  const feed = await follow(core);
  const ending = feed.next();
  await core.close();
  expect(await ending).toBeUndefined();
});
