import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adoptionMutants } from "../../prove/adoption/mutants.mjs";
import { bindingMutants } from "../../prove/device-binding/mutants.mjs";
import { changeMutants } from "../../prove/interleavings/change-mutants.mjs";
import { sdkMutants } from "../../prove/interleavings/in-place-mutants.mjs";
import { mutants } from "../../prove/interleavings/mutants.mjs";

const folder = new URL("../../packages/", import.meta.url).pathname;
const files = ["engine", "node", "storage"].flatMap((name) =>
  readdirSync(`${folder}${name}/dist`, { recursive: true, encoding: "utf8" }).map((file) => `${name}/dist/${file}`),
);

describe("the proofs find what they break, once", () => {
  test.each([...adoptionMutants, ...bindingMutants, ...changeMutants, ...sdkMutants, ...mutants])(
    "$what",
    ({ file, from }) => {
      const found = files.filter((path) => `/${path}`.endsWith(`/${file}`));
      const times = found.map((path) => readFileSync(folder + path, "utf8").split(from).length - 1);
      expect(times).toEqual([1]);
    },
  );
});
