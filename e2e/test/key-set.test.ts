import { createPublicKey, type JsonWebKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SigningAlgorithm } from "@pawl/storage";
import { createRemoteJWKSet, customFetch, type JSONWebKeySet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CdiClient, cdiClient, type CdiSession } from "./cdi-client.js";
import { startTestCore, type TestCore } from "./core.js";
import { decodeToken } from "./recorded/exchanges.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});
const started = async (...options: Parameters<typeof startTestCore>): Promise<TestCore> => {
  const core = await startTestCore(...options);
  undo.push(() => core.close());
  return core;
};

const login = (client: CdiClient, useDynamicSigningKey = true): Promise<CdiSession> =>
  client.ask("POST", "/recipe/session", {
    userId: "user-1",
    userDataInJWT: { role: "x" },
    userDataInDatabase: {},
    enableAntiCsrf: false,
    useDynamicSigningKey,
  });
const keySetOf = async (core: TestCore): Promise<JSONWebKeySet> =>
  (await (await fetch(`${core.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;

describe.each(["RS256", "ES256"] as const)("tokens signed with %s", (algorithm: SigningAlgorithm) => {
  test("verify with jose and with jsonwebtoken by the published keys", async () => {
    const cdi1 = { enabled: false, withoutKey: false, keyKind: "static" } as const;
    const core = await started({ config: { cdiSigningAlgorithm: algorithm, cdi1 } });
    const tokens: string[] = [];
    for (const version of ["2.21", "3.1", "5.4"])
      for (const isDynamic of [true, false])
        tokens.push((await login(cdiClient(core, version), isDynamic)).accessToken.token);
    for (const useStaticSigningKey of [true, false]) {
      const ask = { algorithm, jwksDomain: "https://api", payload: { sub: "user-1", role: "x" }, validity: 100 };
      const body = { ...ask, useStaticSigningKey };
      tokens.push((await cdiClient(core, "5.4").ask<{ readonly jwt: string }>("POST", "/recipe/jwt", body)).jwt);
    }
    const keySet = await keySetOf(core);
    const remote = createRemoteJWKSet(new URL(`${core.url}/.well-known/jwks.json`));
    for (const token of tokens) {
      const expected = { sub: "user-1", role: "x" };
      const options = { algorithms: [algorithm] };
      expect((await jwtVerify(token, remote, options)).payload).toMatchObject(expected);
      const jwk = keySet.keys.find(({ kid }) => kid === decodeToken(token).header["kid"]);
      const key = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" }).export({ type: "spki", format: "pem" });
      expect(jsonwebtoken.verify(token, key, options)).toMatchObject(expected);
      const other = algorithm === "RS256" ? "ES256" : "RS256";
      expect(() => jsonwebtoken.verify(token, key, { algorithms: [other] })).toThrow();
    }
  });
});

describe("an SDK that keeps the key set for four hours, over weeks of key changes", () => {
  test("never meets a token of an unknown key, and seldom asks", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    undo.push(() => vi.useRealTimers());
    const folder = mkdtempSync(join(tmpdir(), "pawl-keys-"));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    const nodes = [await started({ folder }), await started({ folder })] as const;
    const clients = nodes.map((node) => cdiClient(node, "5.4"));

    let asked = 0;
    const counting: typeof fetch = (...args) => {
      asked += 1;
      return fetch(...args);
    };
    /** As `supertokens-node` keeps the set of each core: asks anew when it is old, and for a key that is not in it. */
    const caches = nodes.map((node) =>
      createRemoteJWKSet(new URL(`${node.url}/.well-known/jwks.json`), {
        cacheMaxAge: 4 * HOUR,
        cooldownDuration: 500,
        [customFetch]: counting,
      }),
    );
    /** What somebody knows who asks each node now and then, and never because of a token: by round of maintenance. */
    const polled: JSONWebKeySet[][] = [];
    const alive: { readonly token: string; readonly until: number }[] = [];
    const signedWith = new Set<unknown>();

    const step = async (by: number): Promise<void> => {
      vi.setSystemTime(Date.now() + by);
      // Rounds come every 20 s on each node, one after the other.
      for (const node of nodes) await node.engine.maintainSigningKeys();
      for (const client of clients) {
        const { accessToken } = await login(client);
        alive.push({ token: accessToken.token, until: accessToken.expiry });
      }
      while ((alive[0]?.until ?? Infinity) <= Date.now()) alive.shift();
      const known = polled.at(-2) ?? [];
      for (const { token } of [...alive.slice(0, 1), ...alive.slice(-2)]) {
        const { kid } = decodeToken(token).header;
        signedWith.add(kid);
        for (const cache of caches) expect((await jwtVerify(token, cache)).payload.sub).toBe("user-1");
        for (const set of known) expect(set.keys.map((key) => key.kid)).toContain(kid);
      }
      polled.push(await Promise.all(nodes.map(keySetOf)));
    };

    // A key takes over after a week. The clock goes by hours, and around the change in rounds of maintenance.
    await step(0);
    let longSteps = 1;
    const weeks = 2;
    for (let week = 0; week < weeks; week += 1) {
      const due = nodes[0].engine.nextSigningKeyAt("RS256");
      for (; Date.now() < due - 7 * HOUR; longSteps += 1) await step(6 * HOUR);
      await step(due - Date.now() - 5 * MINUTE);
      longSteps += 1;
      for (let round = 0; round < 20; round += 1) await step(20 * SECOND);
    }
    expect(signedWith.size).toBe(weeks + 1);
    expect(asked).toBeLessThanOrEqual(nodes.length * (longSteps + weeks));
  }, 90_000);
});
