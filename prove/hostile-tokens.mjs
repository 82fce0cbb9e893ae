// Mutated refresh and access tokens against the real engine.
import { openEngine } from "@pawl/engine";
import { MemoryStorage } from "@pawl/storage";
import { createRandom } from "./random.mjs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=";

const mutate = (token, random) => {
  const at = random.below(token.length);
  switch (random.below(6)) {
    case 0: {
      let other = random.pick(ALPHABET);
      while (other === token[at]) other = random.pick(ALPHABET);
      return token.slice(0, at) + other + token.slice(at + 1);
    }
    case 1:
      return token.slice(0, at);
    case 2:
      return token.slice(0, at) + random.pick(ALPHABET) + token.slice(at);
    case 3:
      return token.slice(0, at) + token.slice(at + 1);
    case 4:
      return `${token}.${token}`;
    default:
      return ".".repeat(random.below(2000));
  }
};

export const hostileTokens = async (count, seed, progress) => {
  const { engine, close } = await openEngine({ storage: new MemoryStorage() });
  const random = createRandom(seed);
  const { accessToken, refreshToken } = await engine.createSession({ userId: "victim" });
  const { accessToken: v1 } = await engine.createSession({ userId: "victim", form: "v1", keyKind: "static" });
  let failures = 0;
  for (let run = 0; run < count; run += 1) {
    try {
      const refresh = mutate(refreshToken.token, random);
      const refreshed = await engine.refreshSession({ refreshToken: refresh });
      if (refreshed.kind !== "unauthorised") failures += 1;
      const original = random.chance(0.5) ? accessToken.token : v1.token;
      const access = mutate(original, random);
      // A last character of base64 may hold unused bits: another spelling of the very same bytes proves nothing.
      const isSpelling =
        Buffer.from(access.split(".").at(-1) ?? "", "base64").equals(
          Buffer.from(original.split(".").at(-1) ?? "", "base64"),
        ) && access.slice(0, access.lastIndexOf(".")) === original.slice(0, original.lastIndexOf("."));
      const verified = await engine.verifyAccessToken({ accessToken: access });
      if (verified.kind === "valid" && !isSpelling) failures += 1;
    } catch {
      failures += 1;
    }
    if (run % 5000 === 0) progress(run);
  }
  await close();
  return { count: 2 * count, failures, note: "refresh tokens and access tokens of versions 1 and 5" };
};
