import { expect, it } from "vitest";
import * as verify from "../src/index.js";

it("the package exports this name and no other", () => {
  expect(Object.keys(verify)).toEqual(["createVerifier"]);
});
