import { expect, it } from "vitest";
import * as exported from "../src/index.js";

it("exports what opens a storage, and nothing else", () => {
  expect(Object.keys(exported)).toStrictEqual(["openStorage"]);
});
