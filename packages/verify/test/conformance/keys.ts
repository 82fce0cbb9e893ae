import { createVerifier } from "../../src/index.js";
import { type Cases, wordOf } from "./case.js";
import { becomes, equal, isTrue, standingClock } from "./expectations.js";
import type { KeySetMode } from "./world-client.js";

const MINUTE = 60_000;

/** All that a server of keys may do instead of answering with keys. */
const troubles: readonly KeySetMode[] = [
  ...(["hang", "hang in the body", "cut in the body", "huge", "empty", "nothing at all", "no keys"] as const),
  ...(["no object", "a page", "an error", "a redirect", "no key that counts"] as const),
];

export const keyCases: Cases = {
  "keys are read when they are needed, once for all that need them, and then kept": {
    async run(world, runtime) {
      const { url, id } = await world.keySet({ keys: ["ec-1"] });
      const { verify } = createVerifier({ keys: url });
      equal(await world.keySetAsked({ id }), 0);
      const token = await world.sign({ key: "ec-1" });
      const found = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
      equal(
        found.map(wordOf),
        Array.from({ length: 20 }, () => "not checked"),
      );
      // A Worker cannot wait for what another request has begun.
      const asked = await world.keySetAsked({ id });
      isTrue(runtime === "workerd" ? asked <= 20 : asked === 1, `asked ${asked} times`);
      for (let more = 0; more < 20; more++) await verify(await world.sign({ key: "ec-1", payload: { more } }));
      equal(await world.keySetAsked({ id }), asked);
    },
  },

  "a key that was added is found by the first token that names it; other names cost one reading a second": {
    async run(world) {
      const { url, id } = await world.keySet({ keys: ["ec-1"] });
      const clock = standingClock();
      const { verify } = createVerifier({ keys: url, clock });
      equal(wordOf(await verify(await world.sign({ key: "ec-1" }))), "not checked");
      await world.changeKeySet({ id, keys: ["ec-1", "rsa-2"] });
      clock.move(2000);
      equal(wordOf(await verify(await world.sign({ key: "rsa-2" }))), "not checked");
      equal(await world.keySetAsked({ id }), 2);
      for (let other = 0; other < 50; other++)
        equal(
          wordOf(await verify(await world.sign({ key: `ec-unknown-${other % 3}`, payload: { other } }))),
          "unknown unknown_key 401",
        );
      equal(await world.keySetAsked({ id }), 2);
      clock.move(2000);
      for (let other = 0; other < 50; other++)
        equal(
          wordOf(await verify(await world.sign({ key: "ec-unknown-0", payload: { other } }))),
          "unknown unknown_key 401",
        );
      equal(await world.keySetAsked({ id }), 3);
      equal(wordOf(await verify(await world.sign({ key: "ec-1" }))), "not checked");
    },
  },

  "a key that was taken away is believed for a minute at most, also for tokens that were seen": {
    async run(world) {
      const { url, id } = await world.keySet({ keys: ["ec-1", "ec-2"] });
      const clock = standingClock();
      const { verify } = createVerifier({ keys: url, clock });
      const [gone, kept] = [await world.sign({ key: "ec-1" }), await world.sign({ key: "ec-2" })];
      for (const token of [gone, kept]) equal(wordOf(await verify(token)), "not checked");
      await world.changeKeySet({ id, keys: ["ec-2"] });
      clock.move(MINUTE + 1000);
      await becomes(async () => wordOf(await verify(gone)), "unknown unknown_key 401");
      equal(wordOf(await verify(kept)), "not checked");
    },
  },

  "keys are used for an hour while they cannot be read, and not longer": {
    async run(world) {
      const { url, id } = await world.keySet({ keys: ["ec-1"] });
      const clock = standingClock();
      const { verify } = createVerifier({ keys: url, clock });
      const token = await world.sign({ key: "ec-1", life: 10 * 60 * MINUTE });
      equal(wordOf(await verify(token)), "not checked");
      await world.changeKeySet({ id, mode: "an error" });
      for (let minutes = 2; minutes < 60; minutes += 6) {
        equal(wordOf(await verify(token)), "not checked", `after ${minutes} minutes`);
        clock.move(6 * MINUTE);
      }
      clock.move(2 * MINUTE);
      await becomes(async () => wordOf(await verify(token)), "unknown unavailable 503");
      // As it stays, however soon it is asked again.
      equal(wordOf(await verify(token)), "unknown unavailable 503");
      await world.changeKeySet({ id, mode: "ok" });
      clock.move(2000);
      await becomes(async () => wordOf(await verify(token)), "not checked");
    },
  },

  "while there are no keys nothing is known of anybody, and then it heals": {
    async run(world) {
      const { url, id } = await world.keySet({ keys: ["ec-1"], mode: "an error" });
      const { verify } = createVerifier({ keys: url });
      const token = await world.sign({ key: "ec-1" });
      const found = await verify(token);
      equal(wordOf(found), "unknown unavailable 503");
      isTrue(found.kind === "unknown" && /answers 500/.test(String(found.cause)), "says what the server answered");
      await world.changeKeySet({ id, mode: "ok" });
      equal(wordOf(await verify(token)), "not checked");
    },
  },

  "a server of keys that hangs, lies, or sends nothing or too much is no server of keys": {
    async run(world) {
      const token = await world.sign({ key: "ec-1" });
      const tried = troubles.map(async (mode) => {
        const started = Date.now();
        const { url, id } = await world.keySet({ keys: ["ec-1"], mode });
        const { verify } = createVerifier({ keys: url });
        equal(wordOf(await verify(token)), "unknown unavailable 503", mode);
        isTrue(Date.now() - started < 8000, `${mode} takes too long`);
        await world.changeKeySet({ id, mode: "ok" });
        equal(wordOf(await verify(token)), "not checked", `after ${mode}`);
      });
      await Promise.all(tried);
    },
  },

  "nor does it take away the keys that were known": {
    async run(world) {
      const token = await world.sign({ key: "ec-1" });
      const tried = troubles.map(async (mode) => {
        const clock = standingClock();
        const { url, id } = await world.keySet({ keys: ["ec-1"] });
        const { verify } = createVerifier({ keys: url, clock });
        equal(wordOf(await verify(token)), "not checked");
        await world.changeKeySet({ id, mode });
        clock.move(2 * MINUTE);
        for (let asked = 0; asked < 3; asked++) equal(wordOf(await verify(token)), "not checked", mode);
        // A name that it cannot look up is not one that there is not.
        clock.move(2000);
        equal(wordOf(await verify(await world.sign({ key: "ec-new" }))), "unknown unavailable 503", mode);
      });
      await Promise.all(tried);
    },
  },

  "keys that are none of ours stand beside those that are, and the first of a name counts": {
    async run(world) {
      const { url } = await world.keySet({ keys: ["ec-1", "rsa-1"], mode: "others beside it" });
      const { verify } = createVerifier({ keys: url });
      for (const key of ["ec-1", "rsa-1"]) equal(wordOf(await verify(await world.sign({ key }))), "not checked");
      const forged = await world.sign({ key: "ec-of-a-liar", header: { kid: "ec-1" } });
      equal(wordOf(await verify(forged)), "unknown bad_signature 401");
    },
  },

  "an RSA key of less than 2048 bits is no key": {
    async run(world) {
      const { publicKey } = await crypto.subtle.generateKey(
        { name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
        true,
        ["sign", "verify"],
      );
      const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "rsa-1" };
      const { verify } = createVerifier({
        keys: { keys: [jwk, ...(await world.keySet({ keys: ["ec-1"] })).keys.keys] },
      });
      equal(wordOf(await verify(await world.sign({ key: "rsa-1" }))), "unknown unknown_key 401");
      equal(wordOf(await verify(await world.sign({ key: "ec-1" }))), "not checked");
    },
  },

  "keys that are given are asked for nowhere": {
    async run(world) {
      const { keys } = await world.keySet({ keys: ["ec-1"] });
      const { verify } = createVerifier({ keys });
      equal(wordOf(await verify(await world.sign({ key: "ec-1" }))), "not checked");
      equal(wordOf(await verify(await world.sign({ key: "ec-2" }))), "unknown unknown_key 401");
      const none = createVerifier({ keys: { keys: [] } });
      equal(wordOf(await none.verify(await world.sign({ key: "ec-1" }))), "unknown unavailable 503");
    },
  },
};
