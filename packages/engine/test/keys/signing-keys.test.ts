import { MemoryStorage, type Millis, type SigningAlgorithm, type SigningKeyRecord, type Storage } from "@pawl/storage";
import { beforeEach, describe, expect, it } from "vitest";
import { issueAccessToken } from "../../src/tokens/access-token.js";
import {
  createAccessTokenVerifier,
  type KeyedAccessTokenVerifier,
} from "../../src/verification/access-token-verifier.js";
import type { VerificationKey } from "../../src/tokens/jwt.js";
import { defaultPolicy } from "../../src/policy.js";
import { systemRandom } from "../../src/random.js";
import { createSigningKeys, SIGNING_KEY_LEAD, type SigningKeys } from "../../src/keys/signing-keys.js";
import { HOUR, StandingClock } from "../standing-clock.js";
import { claimsAt, masterKeys } from "../token-fixtures.js";

const INTERVAL = defaultPolicy.signingKeyUpdateInterval;
const VALIDITY = defaultPolicy.accessTokenValidity;

let clock: StandingClock;
let storage: MemoryStorage;
beforeEach(() => {
  clock = new StandingClock();
  storage = new MemoryStorage({ clock });
});

const open = (
  changed: {
    readonly masters?: readonly number[];
    readonly onChange?: (keys: readonly VerificationKey[]) => void;
    readonly storage?: Storage;
  } = {},
): Promise<SigningKeys> =>
  createSigningKeys({
    storage: changed.storage ?? storage,
    masterKeys: { keys: masterKeys(...(changed.masters ?? [1])), reload: async () => undefined },
    random: systemRandom,
    policy: defaultPolicy,
    ...(changed.onChange && { onChange: changed.onChange }),
  });

/** A node with a verifier that knows only what its own signing keys told it. */
const openNode = async (): Promise<{ readonly keys: SigningKeys; readonly verifier: KeyedAccessTokenVerifier }> => {
  const verifier = createAccessTokenVerifier({ clock, accessTokenValidity: VALIDITY, enableAntiCsrf: false });
  return { keys: await open({ onChange: (keys) => verifier.setKeys(keys) }), verifier };
};

const issue = (keys: SigningKeys, algorithm: SigningAlgorithm = "ES256"): string =>
  issueAccessToken(claimsAt(clock.now(), "v5"), keys.signer(algorithm, "dynamic", clock.now())).token;

describe("the first key", () => {
  it.each(["ES256", "RS256"] as const)(
    "of %s signs at once, is published, and can be opened again",
    async (algorithm) => {
      const { keys, verifier } = await openNode();
      expect(() => keys.signer(algorithm, "dynamic", clock.now())).toThrow(
        expect.objectContaining({ code: "signing_key_missing" }),
      );
      await keys.ensure(algorithm, "dynamic");
      expect(keys.keySet(algorithm).keys).toHaveLength(1);
      expect(verifier.verify({ accessToken: issue(keys, algorithm) }).kind).toBe("valid");

      const other = await openNode();
      expect(other.keys.list()).toEqual(keys.list());
      expect(verifier.verify({ accessToken: issue(other.keys, algorithm) }).kind).toBe("valid");
    },
  );

  it("is made once", async () => {
    const keys = await open();
    for (let times = 0; times < 3; times += 1) await keys.ensure("ES256", "dynamic");
    expect(keys.list()).toHaveLength(1);
    expect(keys.list()[0]).toMatchObject({
      kid: `d-${clock.now()}`,
      createdAt: clock.now(),
      signsFrom: clock.now(),
      status: "active",
    });
  });

  it("is one for all nodes that start at once on an empty store", async () => {
    const nodes = await Promise.all(Array.from({ length: 6 }, openNode));
    await Promise.all(nodes.map(({ keys }) => keys.ensure("ES256", "dynamic")));
    expect(await storage.getSigningKeys()).toHaveLength(1);
    for (const { keys } of nodes)
      for (const { verifier } of nodes) expect(verifier.verify({ accessToken: issue(keys) }).kind).toBe("valid");
  });

  it("has a name of its own, also when two algorithms are made in one millisecond", async () => {
    const nodes = await Promise.all([open(), open(), open()]);
    await Promise.all(nodes.map((keys, index) => keys.ensure(index === 0 ? "ES256" : "RS256", "dynamic")));
    const kids = (await storage.getSigningKeys()).map((key) => key.kid);
    expect(kids.toSorted()).toEqual([`d-${clock.now()}`, `d-${clock.now() + 1}`]);
  });

  it("of the static kind is named s-, dynamic and static side by side", async () => {
    const keys = await open();
    await keys.ensure("ES256", "static");
    await keys.ensure("ES256", "dynamic");
    expect(keys.signer("ES256", "static", clock.now()).kid).toMatch(/^s-[\da-f]{8}-[\da-f-]{27}$/);
    expect(keys.signer("ES256", "dynamic", clock.now()).kid).toMatch(/^d-\d+$/);
  });

  it("signs on a node whose clock is behind that of its maker", async () => {
    await (await open()).ensure("ES256", "dynamic");
    clock.advance(-300_000);
    const { keys, verifier } = await openNode();
    expect(keys.list()[0]?.status).toBe("active");
    expect(verifier.verify({ accessToken: issue(keys) }).kind).toBe("valid");
  });
});

describe("the life of a dynamic key", () => {
  it("is followed by the next, which is published for a minute before it signs, when its time is over", async () => {
    const keys = await open();
    await keys.ensure("ES256", "dynamic");
    const first = keys.signer("ES256", "dynamic", clock.now()).kid;

    clock.advance(INTERVAL - SIGNING_KEY_LEAD - 1);
    await keys.maintain();
    expect(keys.list()).toHaveLength(1);

    clock.advance(1);
    await keys.maintain();
    await keys.maintain();
    expect(keys.list().map((key) => key.status)).toEqual(["next", "active"]);
    expect(keys.keySet().keys).toHaveLength(2);
    expect(keys.signer("ES256", "dynamic", clock.now()).kid).toBe(first);

    clock.advance(SIGNING_KEY_LEAD - 1);
    expect(keys.signer("ES256", "dynamic", clock.now()).kid).toBe(first);
    clock.advance(1);
    expect(keys.signer("ES256", "dynamic", clock.now()).kid).not.toBe(first);
    expect(keys.list().map((key) => key.status)).toEqual(["active", "retired"]);
  });

  it("ends when every token it signed has expired, with room for skew", async () => {
    const { keys, verifier } = await openNode();
    await keys.ensure("ES256", "dynamic");
    await keys.rotate("ES256");
    clock.advance(SIGNING_KEY_LEAD - 1);
    const last = issue(keys);
    clock.advance(1);
    for (let passed = 0; passed < VALIDITY - 1000; passed += 60_000) {
      await keys.maintain();
      expect(verifier.verify({ accessToken: last }).kind).toBe("valid");
      clock.advance(60_000);
    }
    clock.advance(VALIDITY - 60_000);
    await keys.maintain();
    expect(keys.list()).toHaveLength(2);
    clock.advance(180_000);
    await keys.maintain();
    expect(keys.list().map((key) => key.status)).toEqual(["active"]);
    expect(verifier.verify({ accessToken: last })).toMatchObject({ why: "unknown_key" });
  });

  it("is never cut short for the newest key, nor for a static one", async () => {
    const keys = await open();
    await keys.ensure("ES256", "static");
    await keys.ensure("ES256", "dynamic");
    const idle = await open();
    for (let times = 0; times < 5; times += 1) {
      clock.advance(INTERVAL);
      await idle.maintain();
    }
    expect(idle.list()).toHaveLength(2);
  });

  it("repeats for ever without piling up keys, whichever node has its turn", async () => {
    const nodes = await Promise.all([openNode(), openNode(), openNode()]);
    await Promise.all(nodes.map(({ keys }) => keys.ensure("ES256", "dynamic")));
    const seen = new Set<string>();
    for (let hour = 0; hour < 24 * 40; hour += 1) {
      clock.advance(HOUR);
      await Promise.all(nodes.map(({ keys }) => keys.maintain()));
      for (const { keys } of nodes) seen.add(keys.signer("ES256", "dynamic", clock.now()).kid);
      expect((await storage.getSigningKeys()).length).toBeLessThanOrEqual(2);
    }
    expect(seen.size).toBe(6);
  });

  it("writes what happened into the audit trail, without any key", async () => {
    const keys = await open();
    await keys.ensure("ES256", "dynamic");
    const first = keys.list()[0]?.kid;
    await keys.rotate("ES256");
    clock.advance(2 * SIGNING_KEY_LEAD + 2 * VALIDITY + 1);
    await keys.maintain();
    const events = await storage.listEvents({}, { limit: 10 });
    expect(events.items.map((event) => event.type)).toEqual([
      "signing_key_deleted",
      "signing_key_created",
      "signing_key_created",
    ]);
    expect(events.items[0]?.detail).toBe(JSON.stringify({ kid: first, algorithm: "ES256" }));
  });
});

describe("nodes that learn of keys at different times", () => {
  it("verify every token of each other at any time: 0 unknown keys", async () => {
    const nodes = await Promise.all([openNode(), openNode(), openNode()]);
    await Promise.all(nodes.map(({ keys }) => keys.ensure("ES256", "dynamic")));
    await Promise.all(nodes.map(({ keys }) => keys.reload()));
    clock.advance(INTERVAL - SIGNING_KEY_LEAD);
    const tokens: { readonly token: string; readonly until: Millis }[] = [];
    const signers = new Set<string>();
    // Each node reloads every 30 s at a second of its own; 3 hours around a change of keys, 5 s a step.
    for (let second = 0; second < 3 * 3600; second += 5) {
      for (const [index, { keys }] of nodes.entries()) if (second % 30 === index * 10) await keys.maintain();
      if (second % 15 === 0)
        for (const { keys } of nodes) {
          signers.add(keys.signer("ES256", "dynamic", clock.now()).kid);
          tokens.push({ token: issue(keys), until: (Math.floor((clock.now() + VALIDITY) / 1000) * 1000) as Millis });
        }
      const live = tokens.filter(({ until }) => clock.now() < until);
      for (const { token } of [live[0], live.at(-1), live.at(-2), live.at(-3)].filter((entry) => entry !== undefined))
        for (const { verifier } of nodes) expect(verifier.verify({ accessToken: token }).kind).toBe("valid");
      clock.advance(5000);
    }
    expect(signers.size).toBe(2);
  });

  it("add one key, not one each, when it is due for all at once", async () => {
    const nodes = await Promise.all([open(), open(), open(), open()]);
    await Promise.all(nodes.map((keys) => keys.ensure("ES256", "dynamic")));
    clock.advance(INTERVAL);
    await Promise.all(nodes.map((keys) => keys.maintain()));
    expect(await storage.getSigningKeys()).toHaveLength(2);
    for (const keys of nodes) await keys.reload();
    expect(new Set(nodes.map((keys) => JSON.stringify(keys.list()))).size).toBe(1);
  });

  it("a reload that is overtaken by a later one brings nothing back", async () => {
    const answers: ((records: readonly SigningKeyRecord[]) => void)[] = [];
    let isSlow = false;
    const slow = new Proxy(storage, {
      get(target, name) {
        if (name === "getSigningKeys" && isSlow)
          return () => new Promise<readonly SigningKeyRecord[]>((resolve) => answers.push(resolve));
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const keys = await open({ storage: slow });
    isSlow = true;
    const [early, late] = [keys.reload(), keys.reload()];
    await (await open()).ensure("ES256", "dynamic");
    answers[1]?.(await storage.getSigningKeys());
    await late;
    answers[0]?.([]);
    await early;
    expect(keys.list()).toHaveLength(1);
  });
});

describe("the listener", () => {
  it("hears of keys when they change, and only then", async () => {
    const heard: (readonly string[])[] = [];
    const keys = await open({ onChange: (changed) => heard.push(changed.map(({ kid }) => kid)) });
    await keys.reload();
    expect(heard).toEqual([]);
    await keys.ensure("ES256", "dynamic");
    await keys.reload();
    await keys.maintain();
    expect(heard).toEqual([[keys.list()[0]?.kid]]);
    const { kid } = await keys.rotate("ES256");
    expect(heard).toEqual([heard[0], [kid, ...(heard[0] ?? [])]]);
  });
});

describe("rotate", () => {
  it("adds a key that takes over after the lead; the old one stays published", async () => {
    const keys = await open();
    await keys.ensure("RS256", "dynamic");
    const before = keys.signer("RS256", "dynamic", clock.now()).kid;
    const added = await keys.rotate("RS256");
    expect(added).toEqual({
      kid: expect.stringMatching(/^d-\d+$/) as string,
      algorithm: "RS256",
      kind: "dynamic",
      createdAt: clock.now() + 1,
      signsFrom: clock.now() + 1 + SIGNING_KEY_LEAD,
      status: "next",
    });
    expect(keys.signer("RS256", "dynamic", clock.now()).kid).toBe(before);
    clock.advance(SIGNING_KEY_LEAD + 1);
    expect(keys.signer("RS256", "dynamic", clock.now()).kid).toBe(added.kid);
    expect(keys.keySet("RS256").keys.map((key) => key.kid)).toEqual([added.kid, before]);
    expect(keys.keySet("ES256").keys).toEqual([]);
  });

  it("twice at once adds one after the other or one for both, and always a whole chain", async () => {
    const keys = await open();
    await keys.ensure("ES256", "dynamic");
    await Promise.all([keys.rotate("ES256"), keys.rotate("ES256"), (await open()).rotate("ES256")]);
    const stored = await storage.getSigningKeys();
    expect(stored.length).toBeGreaterThanOrEqual(2);
    expect(new Set(stored.map((key) => key.createdAt)).size).toBe(stored.length);
  });
});

describe("what the store holds", () => {
  const replaced = async (change: (record: SigningKeyRecord) => Partial<SigningKeyRecord>): Promise<void> => {
    const [record] = await storage.getSigningKeys();
    if (record === undefined) throw new Error("expected a key");
    await storage.deleteSigningKeys([record.kid]);
    await storage.addSigningKey({ ...record, ...change(record) }, undefined);
  };

  it("opens with the master key that sealed it, also when a new one stands before it", async () => {
    await (await open({ masters: [1] })).ensure("ES256", "dynamic");
    expect((await open({ masters: [2, 1] })).list()).toHaveLength(1);
    await expect(open({ masters: [2] })).rejects.toMatchObject({ code: "master_key_wrong" });
  });

  it("opens no key whose sealed half was changed", async () => {
    await (await open()).ensure("ES256", "dynamic");
    await replaced(({ sealedPrivateKey }) => ({ sealedPrivateKey: `${sealedPrivateKey.slice(0, -10)}AAAAAAAAAA` }));
    await expect(open()).rejects.toMatchObject({ code: "signing_key_corrupt" });
  });

  it("makes no key trusted that only the store vouches for", async () => {
    const forger = new MemoryStorage({ clock });
    await (await open({ storage: forger, masters: [9] })).ensure("ES256", "dynamic");
    const [forged] = await forger.getSigningKeys();
    if (forged === undefined) throw new Error("expected a key");

    await (await open()).ensure("ES256", "dynamic");
    await replaced(() => ({ publicKey: forged.publicKey }));
    await expect(open()).rejects.toMatchObject({ code: "signing_key_corrupt" });
  });

  it("that is found wrong later leaves the keys known before in use", async () => {
    const { keys, verifier } = await openNode();
    await keys.ensure("ES256", "dynamic");
    await replaced(() => ({ publicKey: "AAAA" }));
    await expect(keys.reload()).rejects.toMatchObject({ code: "signing_key_corrupt" });
    expect(verifier.verify({ accessToken: issue(keys) }).kind).toBe("valid");
  });

  it("has no private key in the clear", async () => {
    await (await open()).ensure("ES256", "dynamic");
    const text = JSON.stringify(await storage.getSigningKeys());
    const sealed = Buffer.from((await storage.getSigningKeys())[0]?.sealedPrivateKey ?? "", "base64url");
    expect(text).not.toContain("PRIVATE");
    // The object identifier of P-256 stands in every DER key, so it would show an unsealed one.
    expect(sealed.includes(Buffer.from("2a8648ce3d030107", "hex"))).toBe(false);
  });
});
