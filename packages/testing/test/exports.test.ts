import { expect, it } from "vitest";
import * as testing from "../src/index.js";

it("the package exports this name and no other", () => {
  expect(Object.keys(testing)).toEqual(["simulate"]);
});
