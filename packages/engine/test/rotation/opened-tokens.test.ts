import { StorageError } from "@pawl/storage";
import { expect, it } from "vitest";
import { createTokenOpener } from "../../src/rotation/opened-tokens.js";

const FOREIGN = `${"A".repeat(120)}.${"0".repeat(64)}.V2`;

it("fails once where the store is down, and leaves no other failure that nobody hears of", async () => {
  const down = async (): Promise<never> => {
    throw new StorageError("unavailable", "the store is down");
  };
  let asked = 0;
  const openTokens = createTokenOpener(
    { refreshTokens: { open: () => undefined } as never, loadKeysOf: down },
    { open: () => ((asked += 1), down()) },
  );
  await expect(openTokens(["of an unknown key", FOREIGN])).rejects.toThrow("the store is down");
  expect(asked).toBe(0);
});
