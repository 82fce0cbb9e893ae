import { createEngine, parseMasterKeys, verificationKeysFromJwks } from "@pawl/engine";
import { MemoryStorage, millis, type UserId } from "@pawl/storage";
import { expect, test } from "vitest";
import { CoreVerifier } from "../../node/src/backend/core/core-verifier.js";

const HOUR = 3_600_000;
let looks = 0;
const clock = {
  time: 1_800_000_000_000,
  now: () => {
    looks += 1;
    return millis(clock.time);
  },
};

/** How often the clock is looked at for one verification: each verifier that is kept does it. */
const looksOf = (verifier: CoreVerifier, accessToken: string): number => {
  const before = looks;
  expect(verifier.verify({ accessToken }).kind).toBe("valid");
  return looks - before;
};

test("verifiers of former rules are let go once no token of theirs can be valid", async () => {
  const engine = await createEngine({
    storage: new MemoryStorage({ clock }),
    masterKeys: parseMasterKeys(Buffer.alloc(32, 7).toString("base64")),
  });
  const verifier = new CoreVerifier(clock, { accessTokenValidity: HOUR, enableAntiCsrf: false });
  verifier.setKeys(verificationKeysFromJwks(engine.keySet()));
  const login = async () => (await engine.createSession({ userId: "u" as UserId })).accessToken.token;
  const alone = looksOf(verifier, await login());
  verifier.setRules({ accessTokenValidity: 2 * HOUR, enableAntiCsrf: false });
  clock.time += HOUR / 2;
  expect(looksOf(verifier, await login())).toBeGreaterThan(alone);
  clock.time += HOUR;
  const last = await login();
  looksOf(verifier, last);
  expect(looksOf(verifier, last)).toBeLessThanOrEqual(alone);
  await engine.close();
});
