import { createVerifier } from "../../src/index.js";
import { type Cases, type Runtime, wordOf } from "./case.js";
import { equal, isTrue, standingClock } from "./expectations.js";
import { API_KEY, type WorldClient } from "./world-client.js";

/** Where an API key may be. */
const backends: readonly Runtime[] = ["node", "deno", "bun", "workerd"];

const asking = async (world: WorldClient, answer: string, cacheFor = 0) => {
  const { url, id } = await world.introspection({ answer });
  const keys = await world.keySet({ keys: ["ec-1"] });
  const clock = standingClock();
  const { verify } = createVerifier({ keys: keys.url, introspect: { url, key: "k", cacheFor }, clock });
  return {
    clock,
    verify,
    sign: (changes: object = {}) => world.sign({ key: "ec-1", ...changes }),
    asked: () => world.introspectionAsked({ id }),
  };
};

export const introspectionCases: Cases = {
  "the core is asked with its key, by a form, for each token once in the time that is said": {
    on: backends,
    async run(world) {
      const { clock, verify, sign, asked } = await asking(world, '{"active":true}', 30_000);
      const token = await sign();
      for (let again = 0; again < 5; again++) equal(wordOf(await verify(token)), "checked");
      equal(await asked(), [{ authorization: "Bearer k", body: `token=${token}` }]);
      clock.move(29_000);
      equal(wordOf(await verify(token)), "checked");
      equal((await asked()).length, 1);
      clock.move(2000);
      equal(wordOf(await verify(token)), "checked");
      equal((await asked()).length, 2);
      equal(wordOf(await verify(await sign({ payload: { other: true } }))), "checked");
      equal((await asked()).length, 3);
    },
  },

  "a token that is not active any more is refused, as a refresh will tell": {
    on: backends,
    async run(world) {
      const { verify, sign } = await asking(world, '{"active":false}');
      equal(wordOf(await verify(await sign())), "unknown inactive 401");
    },
  },

  "what is no answer tells nothing of a session": {
    on: backends,
    async run(world) {
      const odd = [
        "401",
        "403",
        "404",
        "500",
        "503",
        "302",
        "204",
        "",
        "null",
        "{}",
        "[]",
        "<html>",
        '{"active":"true"}',
        '{"active":1}',
        '{"active":null}',
      ];
      for (const answer of [...odd, "hang", `{"active":true,"more":"${"x".repeat(70_000)}"}`]) {
        const { verify, sign, asked } = await asking(world, answer);
        const started = Date.now();
        equal(wordOf(await verify(await sign())), "unknown unavailable 503", answer.slice(0, 50));
        isTrue(Date.now() - started < 5000, `${answer} takes too long`);
        // A redirect gets no key.
        equal((await asked()).length, 1, answer.slice(0, 50));
      }
    },
  },

  "a token that is refused anyway is shown to nobody": {
    on: backends,
    async run(world) {
      const { clock, verify, sign, asked } = await asking(world, '{"active":true}');
      const [, body] = (await sign()).split(".");
      const short = await sign({ life: 1000 });
      const [head, , signature] = (await sign({ payload: { other: true } })).split(".");
      for (const token of ["x", `${head}.${body}.${signature}`, await sign({ header: { alg: "none" } })])
        await verify(token);
      clock.move(2000);
      equal(wordOf(await verify(short)), "unknown expired 401");
      equal(await asked(), []);
    },
  },

  "an end is noticed when what the core said is too old, and trouble is trouble": {
    on: backends,
    async run(world) {
      const core = `${world.origin}/core`;
      const clock = standingClock();
      const introspect = { url: `${core}/oauth/introspect`, key: API_KEY, cacheFor: 10_000 };
      const { verify } = createVerifier({ keys: `${core}/v1/jwks`, introspect, clock });
      const { accessToken, handle, refreshToken } = await world.login({ userId: "a", payload: { role: "admin" } });
      equal(wordOf(await verify(accessToken)), "checked");
      await world.power({ isDown: true });
      equal(wordOf(await verify(accessToken)), "checked");
      clock.move(11_000);
      equal(wordOf(await verify(accessToken)), "unknown unavailable 503");
      await world.power({ isDown: false });
      equal(wordOf(await verify(accessToken)), "checked");
      await world.change({ handle, payload: { role: "user" } });
      clock.move(11_000);
      equal(wordOf(await verify(accessToken)), "unknown inactive 401");
      const fresh = (await world.refresh({ refreshToken })).accessToken;
      equal(wordOf(await verify(fresh)), "checked");
      await world.revoke({ handles: [handle] });
      equal(wordOf(await verify(fresh)), "checked");
      clock.move(11_000);
      equal(wordOf(await verify(fresh)), "unknown inactive 401");
      const wrong = createVerifier({ keys: `${core}/v1/jwks`, introspect: { ...introspect, key: "wrong" } });
      const refused = await wrong.verify((await world.login({ userId: "b" })).accessToken);
      equal(wordOf(refused), "unknown unavailable 503");
      isTrue(refused.kind === "unknown" && /answers 401/.test(String(refused.cause)), "says why");
    },
  },
};
