import { expect, test } from "vitest";
import { smokeInFirefox } from "./smoke.js";

test("in Firefox", async () => {
  expect(await smokeInFirefox(Number(process.env["PAWL_EXPIRIES"] ?? 5))).toEqual([]);
});
