import { createVerifier, type Verifier, type VerifierOptions } from "../../src/index.js";
import { type Cases, type Runtime, wordOf } from "./case.js";
import { becomes, equal, isTrue, standingClock } from "./expectations.js";
import { API_KEY, type FeedStep, type WorldClient } from "./world-client.js";

const HOUR = 3_600_000;

/** Where a process goes on by itself. */
const servers: readonly Runtime[] = ["node", "deno", "bun"];

const settings = (accessTokenValidity: number, id?: string): string =>
  `event: settings\ndata: ${JSON.stringify({ accessTokenValidity })}\n${id === undefined ? "" : `id: ${id}\n`}\n`;
const revoked = (handle: string, id?: string): string =>
  `event: revoked\ndata: ${JSON.stringify({ handle, at: Date.now() })}\n${id === undefined ? "" : `id: ${id}\n`}\n`;
const changed = (
  handle: string,
  payloadVersion: number,
  { at = Date.now(), id }: { at?: number; id?: string } = {},
): string =>
  `event: changed\ndata: ${JSON.stringify({ handle, payloadVersion, at })}\n${id === undefined ? "" : `id: ${id}\n`}\n`;

/** The verifier of a real core that follows its feed. */
const following = async (world: WorldClient, use: (verifier: Verifier<object>) => Promise<void>): Promise<void> => {
  const core = `${world.origin}/core/v1`;
  const verifier = createVerifier({ keys: `${core}/jwks`, feed: { url: `${core}/revocations`, key: API_KEY } });
  try {
    await use(verifier);
  } finally {
    verifier.close();
    await world.power({ isDown: false });
  }
};

interface Scripted {
  readonly verifier: Verifier<object>;
  /** Key and cursor of each connection so far. */
  asked(): Promise<readonly string[]>;
  cut(): Promise<void>;
  sign(changes?: object): Promise<string>;
  word(token: string): Promise<string>;
}

/** A verifier that follows a feed with these connections; the last one is repeated. */
const scripted = async (
  world: WorldClient,
  connections: readonly (readonly FeedStep[])[],
  use: (it: Scripted) => Promise<void>,
  options: Partial<VerifierOptions> = {},
): Promise<void> => {
  const { url, id } = await world.feed({ connections });
  const keys = await world.keySet({ keys: ["ec-1"] });
  const verifier = createVerifier({ keys: keys.url, feed: { url, key: "k" }, ...options });
  try {
    await use({
      verifier,
      asked: () => world.feedAsked({ id }),
      cut: () => world.feedCut({ id }),
      sign: (changes = {}) => world.sign({ key: "ec-1", ...changes }),
      word: async (token) => wordOf(await verifier.verify(token)),
    });
  } finally {
    verifier.close();
  }
};

/** The handle of the tokens that the world signs, and one that they do not have. */
const mine = "3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e5f";
const another = "00000000-0000-4000-8000-000000000000";

export const feedCases: Cases = {
  "the end of a session is heard, and other sessions live on": {
    on: servers,
    run: (world) =>
      following(world, async ({ verify }) => {
        const [ended, other] = [await world.login({ userId: "a" }), await world.login({ userId: "b" })];
        for (const { accessToken } of [ended, other]) equal(wordOf(await verify(accessToken)), "checked");
        await world.revoke({ handles: [ended.handle] });
        await becomes(async () => wordOf(await verify(ended.accessToken)), "ended revoked 401");
        equal(wordOf(await verify(other.accessToken)), "checked");
      }),
  },

  "a session that ended before the verifier began is refused by its first answer": {
    on: servers,
    async run(world) {
      const { accessToken, handle } = await world.login({ userId: "a" });
      await world.revoke({ handles: [handle] });
      await following(world, async ({ verify }) => equal(wordOf(await verify(accessToken)), "ended revoked 401"));
    },
  },

  "a payload that changed is refused until it is refreshed, in each form": {
    on: servers,
    run: (world) =>
      following(world, async ({ verify }) => {
        for (const form of ["v4", "v5", "pawl"] as const) {
          const { accessToken, refreshToken, handle } = await world.login({
            userId: "a",
            payload: { role: "admin" },
            form,
          });
          equal(wordOf(await verify(accessToken)), "checked");
          for (const role of ["user", "guest"]) await world.change({ handle, payload: { role } });
          await becomes(async () => wordOf(await verify(accessToken)), "unknown outdated 401");
          const fresh = await verify((await world.refresh({ refreshToken })).accessToken);
          equal(fresh.kind === "valid" && fresh.session.payload, { role: "guest" }, form);
          equal(wordOf(await verify(accessToken)), "unknown outdated 401");
        }
      }),
  },

  "while the feed is cut answers say so, and what happened meanwhile is heard when it heals": {
    on: servers,
    run: (world) =>
      following(world, async ({ verify }) => {
        const [ended, other] = [await world.login({ userId: "a" }), await world.login({ userId: "b" })];
        equal(wordOf(await verify(ended.accessToken)), "checked");
        await world.power({ isDown: true });
        await becomes(async () => wordOf(await verify(ended.accessToken)), "not checked");
        const cut = await verify(ended.accessToken);
        isTrue(cut.kind === "valid" && cut.cause instanceof Error, "says why");
        await world.revoke({ handles: [ended.handle] });
        equal(wordOf(await verify(ended.accessToken)), "not checked");
        await world.power({ isDown: false });
        await becomes(async () => wordOf(await verify(other.accessToken)), "checked");
        equal(wordOf(await verify(ended.accessToken)), "ended revoked 401");
        const healed = await verify(other.accessToken);
        equal(healed.kind === "valid" && healed.cause, undefined);
      }),
  },

  "ten thousand ends at once are all heard": {
    on: servers,
    run: (world) =>
      following(world, async ({ verify }) => {
        const some = await world.crowd({ userId: "crowd", count: 10_000, shown: 100 });
        // Making so many has kept the world from anything else.
        for (const accessToken of some) await becomes(async () => wordOf(await verify(accessToken)), "checked");
        equal(await world.revokeUser({ userId: "crowd" }), 10_000);
        for (const accessToken of some)
          await becomes(async () => wordOf(await verify(accessToken)), "ended revoked 401");
      }),
  },

  "an API key that the core does not know makes no feed": {
    on: servers,
    async run(world) {
      const core = `${world.origin}/core/v1`;
      const verifier = createVerifier({ keys: `${core}/jwks`, feed: { url: `${core}/revocations`, key: "wrong" } });
      const { accessToken } = await world.login({ userId: "a" });
      const found = await verifier.verify(accessToken);
      verifier.close();
      equal(wordOf(found), "not checked");
      isTrue(
        found.kind === "valid" && /answers 401/.test(String(found.cause)),
        `says ${String(found.kind === "valid" && found.cause)}`,
      );
    },
  },

  "a feed that stops inside an event goes on where the last whole one stood": {
    on: servers,
    run: (world) => {
      const last = revoked(mine, "c2");
      const half = Math.floor(last.length / 2);
      return scripted(
        world,
        [
          [200, settings(HOUR, "c0"), revoked(another, "c1"), last.slice(0, half)],
          // The second one stops there too, by its end.
          [200, settings(HOUR), last.slice(0, last.length - 1), "end"],
          [200, settings(HOUR), last.slice(0, half), last.slice(half)],
        ],
        async ({ sign, word, asked, cut }) => {
          const heard = await sign({ body: { sid: another } });
          await becomes(() => word(heard), "ended revoked 401");
          const token = await sign();
          equal(await word(token), "checked");
          await cut();
          await becomes(() => word(token), "ended revoked 401");
          equal(await asked(), ["Bearer k no cursor", "Bearer k c1", "Bearer k c1"]);
        },
      );
    },
  },

  "an event comes in any packets": {
    on: servers,
    run: (world) =>
      scripted(world, [[200, ...(settings(HOUR, "c0") + revoked(mine, "c1")).split("")]], async ({ sign, word }) =>
        becomes(async () => word(await sign()), "ended revoked 401"),
      ),
  },

  "a cursor that the core refuses is dropped": {
    on: servers,
    run: (world) =>
      scripted(
        world,
        [
          [200, settings(HOUR, "c0"), "end"],
          [400, "end"],
          [200, settings(HOUR), revoked(mine, "c1")],
        ],
        async ({ sign, word, asked }) => {
          await becomes(async () => word(await sign()), "ended revoked 401");
          equal(await asked(), ["Bearer k no cursor", "Bearer k c0", "Bearer k no cursor"]);
        },
      ),
  },

  "where access tokens live longer than before, all is heard again": {
    on: servers,
    run: (world) =>
      scripted(
        world,
        [
          [200, settings(HOUR, "c0"), "end"],
          [200, settings(2 * HOUR, "c1")],
          [200, settings(2 * HOUR), revoked(mine, "c2"), "end"],
          [200, settings(HOUR, "c3")],
        ],
        async ({ sign, word, asked }) => {
          const token = await sign();
          await becomes(async () => (await asked()).length, 4);
          equal(await asked(), ["Bearer k no cursor", "Bearer k c0", "Bearer k no cursor", "Bearer k c2"]);
          equal(await word(token), "ended revoked 401");
        },
      ),
  },

  "what was heard is kept for as long as a token of before may live, and a minute": {
    on: servers,
    async run(world) {
      const clock = standingClock();
      const more = Array.from({ length: 3 }, (_, at) => revoked(`${at}`, `m${at}`));
      await scripted(
        world,
        [
          [200, settings(HOUR, "c0"), revoked(mine, "c1")],
          [200, settings(HOUR), more[0]!],
          [200, settings(HOUR), more[1]!],
        ],
        async ({ sign, word }) => {
          const token = await sign({ life: 3 * HOUR });
          await becomes(() => word(token), "ended revoked 401");
          clock.move(HOUR);
          equal(await word(token), "ended revoked 401");
        },
        { clock },
      );
    },
  },

  "a change within the skew of clocks goes by its version, and beyond it by its time": {
    on: servers,
    async run(world) {
      const at = Math.floor(Date.now() / 1000) * 1000 - 120_000;
      await scripted(
        world,
        [[200, settings(HOUR), changed(mine, 5, { at, id: "c0" })]],
        async ({ sign, word, verifier }) => {
          await becomes(async () => word(await sign({ version: 5 })), "checked");
          // An `iat` knows only its second, and counts from its end.
          const made = async (seconds: number, version: number) => {
            const token = await sign({ body: { iat: at / 1000 + seconds - 1, pver: version } });
            return wordOf(await verifier.verify(token));
          };
          const outdated = "unknown outdated 401";
          equal([await made(-31, 4), await made(-31, 5), await made(-31, 6)], [outdated, outdated, outdated]);
          equal([await made(-30, 4), await made(-30, 5), await made(-30, 6)], [outdated, "checked", "checked"]);
          equal([await made(30, 4), await made(30, 5), await made(30, 6)], [outdated, "checked", "checked"]);
          // Made long after the change and without it: the store has lost it.
          equal([await made(31, 4), await made(31, 5)], ["checked", "checked"]);
        },
      );
    },
  },

  "of two changes the last counts, and none takes an end back": {
    on: servers,
    async run(world) {
      const [soon, later] = [Date.now() - 500_000, Date.now() - 10_000];
      const versions = [changed(mine, 9, { at: soon }), changed(mine, 3, { at: later, id: "c0" })];
      await scripted(world, [[200, settings(HOUR), ...versions]], async ({ sign, word }) => {
        await becomes(async () => word(await sign({ version: 3 })), "checked");
        equal(await word(await sign({ version: 2 })), "unknown outdated 401");
      });
      await scripted(
        world,
        [[200, settings(HOUR), revoked(mine), changed(mine, 3, { id: "c0" })]],
        async ({ sign, word }) => becomes(async () => word(await sign({ version: 3 })), "ended revoked 401"),
      );
    },
  },

  "what another release may tell is passed over": {
    on: servers,
    run: (world) =>
      scripted(
        world,
        [
          [
            200,
            settings(HOUR),
            ": a comment\n\n",
            `event: bound\ndata: {"handle":"${mine}","at":1}\n\n`,
            `data: {"handle":"${mine}","at":1}\n\n`,
            `event: revoked\ndata: {"handle":"${another}","at":1,"more":{}}\nid: c0\n\n`,
          ],
        ],
        async ({ sign, word }) => becomes(async () => word(await sign()), "checked"),
      ),
  },

  "what is no feed is none, and is not asked in a storm": {
    on: servers,
    async run(world) {
      const odd: readonly (readonly FeedStep[])[] = [
        ["cut"],
        [204, "end"],
        [401, "end"],
        [500, "end"],
        [302, "end"],
        [200, "end"],
        [200, "<html>\n\n<body>Welcome</body>\n\n</html>", "end"],
        [200, "event: revoked\ndata: {\nid: c0\n\n", "end"],
        [200, "event: revoked\ndata: null\nid: c0\n\n", "end"],
        [200, settings(HOUR, "a b"), "end"],
        [200, settings(HOUR, "\u20ac"), "end"],
        [200, "x".repeat(70_000), "end"],
      ];
      const tried = odd.map((steps) =>
        scripted(world, [steps], async ({ sign, word, asked }) => {
          const token = await sign();
          equal(await word(token), "not checked", JSON.stringify(steps).slice(0, 100));
          await becomes(async () => (await asked()).length > 2, true);
          equal(new Set(await asked()), new Set(["Bearer k no cursor"]));
          equal(await word(token), "not checked", JSON.stringify(steps).slice(0, 100));
          isTrue((await asked()).length < 100, "asked in a storm");
        }),
      );
      await Promise.all(tried);
    },
  },

  "a feed that hangs holds up the first answers for three seconds at most, and is tried again": {
    on: servers,
    async run(world) {
      const hanging: readonly (readonly FeedStep[])[] = [[], [200], [200, settings(HOUR)], [200, "event: revoked\n"]];
      const tried = hanging.map((steps) =>
        scripted(world, [steps, [200, settings(HOUR, "c0")]], async ({ sign, word, asked }) => {
          const [token, started] = [await sign(), Date.now()];
          equal(await word(token), "not checked");
          isTrue(Date.now() - started < 5000, "takes too long");
          // One that has begun is given more time: there may be much to tell.
          if (steps.length > 1) return;
          await becomes(() => word(token), "checked");
          equal((await asked()).length, 2);
        }),
      );
      await Promise.all(tried);
    },
  },

  "a feed that falls silent is doubted": {
    on: servers,
    async run(world) {
      const clock = standingClock();
      await scripted(
        world,
        [[200, settings(HOUR, "c0")]],
        async ({ sign, word }) => {
          const token = await sign();
          await becomes(() => word(token), "checked");
          clock.move(19_000);
          equal(await word(token), "checked");
          clock.move(2000);
          equal(await word(token), "not checked");
        },
        { clock },
      );
    },
  },

  "a verifier that is closed lets go of its feed, and verifies on": {
    on: servers,
    async run(world) {
      const { url, id } = await world.feed({ connections: [[200, settings(HOUR, "c0")]] });
      const { keys } = await world.keySet({ keys: ["ec-1"] });
      const verifier = createVerifier({ keys, feed: { url, key: "k" } });
      const token = await world.sign({ key: "ec-1" });
      equal(wordOf(await verifier.verify(token)), "checked");
      verifier.close();
      await becomes(async () => wordOf(await verifier.verify(token)), "not checked");
      await becomes(() => world.feedOpen({ id }), 0);
      equal((await world.feedAsked({ id })).length, 1);
    },
  },

  "a Worker follows no feed, and a browser has no API key": {
    on: ["workerd", "chromium"],
    async run(world, runtime) {
      const { keys } = await world.keySet({ keys: ["ec-1"] });
      const refused = (options: Partial<VerifierOptions>): string => {
        try {
          createVerifier({ keys, ...options }).close();
          return "taken";
        } catch (error) {
          return String(error);
        }
      };
      const access = { url: "http://127.0.0.1:1/", key: "k" };
      const refusal = "TypeError: no API key in browsers, no feed in Workers";
      equal(refused({ feed: access }), refusal);
      equal(refused({ introspect: { ...access, cacheFor: 0 } }), runtime === "chromium" ? refusal : "taken");
    },
  },
};
