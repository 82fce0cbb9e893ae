import { expect, it } from "vitest";
import * as exported from "../src/index.js";

it("exports one thing", () => {
  expect(Object.keys(exported)).toStrictEqual(["openStorage"]);
});
