import { type KitBackend, type KitRules, openEmbedded, type OpenBackend, TestClock } from "@pawl/adapter-conformance";
import { onTestFinished } from "vitest";
import { createPawl, type JsonObject, type Pawl, type PawlOptions } from "../src/index.js";
import { openCore } from "./open-core.js";
import { TestBrowser } from "./browser.js";

const both: readonly (readonly [string, OpenBackend])[] = [
  ["embedded", openEmbedded],
  ["with a core", openCore],
];

/** Both places for sessions, by name; only one where `PAWL_TEST_BACKEND` names it. */
export const backends = both.filter(([name]) => [undefined, name].includes(process.env["PAWL_TEST_BACKEND"]));

export interface Bench<Payload extends object> {
  readonly clock: TestClock;
  readonly backend: KitBackend;
  readonly pawl: Pawl<Payload>;
  readonly browser: TestBrowser;
  /** Another application on the same sessions, as after a deployment. */
  deploy<Other extends object = Payload>(options: Partial<PawlOptions<Other>>): Pawl<Other>;
}

/** An application over an empty store, with a browser; closed when the test has ended. */
export const benchOf = async <Payload extends object = JsonObject>(
  openBackend: OpenBackend,
  options: Partial<PawlOptions<Payload>> = {},
  rules: KitRules = {},
): Promise<Bench<Payload>> => {
  const clock = new TestClock();
  const backend = await openBackend(rules, clock);
  const masterKey = "storage" in backend.options ? { masterKey: Buffer.alloc(32, 7).toString("base64") } : {};
  const deploy = <Other extends object>(more: Partial<PawlOptions<Other>>): Pawl<Other> => {
    const pawl = createPawl<Other>({ ...backend.options, ...masterKey, clock, ...more } as PawlOptions<Other>);
    onTestFinished(() => pawl.close());
    return pawl;
  };
  onTestFinished(() => backend.close());
  return { clock, backend, pawl: deploy(options), browser: new TestBrowser(), deploy };
};
