import type { Cases, Runtime } from "./case.js";
import { feedCases } from "./feed.js";
import { introspectionCases } from "./introspection.js";
import { keyCases } from "./keys.js";
import { requestCases } from "./requests.js";
import { tokenCases } from "./tokens.js";
import { worldAt } from "./world-client.js";

const cases: Cases = { ...tokenCases, ...keyCases, ...requestCases, ...feedCases, ...introspectionCases };

/** The names of what holds in a runtime. */
export const casesOn = (runtime: Runtime): readonly string[] =>
  Object.entries(cases)
    .filter(([, { on }]) => on === undefined || on.includes(runtime))
    .map(([name]) => name);

/** What went wrong, by the names of all cases of a runtime; null where nothing did. */
export type Report = Readonly<Record<string, string | null>>;

/** Runs every case in this runtime. @param origin where the world is. */
export const conform = async (origin: string, runtime: Runtime): Promise<Report> => {
  const world = worldAt(origin);
  const report: Record<string, string | null> = {};
  for (const name of casesOn(runtime)) {
    report[name] = await cases[name]!.run(world, runtime).then(
      () => null,
      (error: unknown) => String((error as Error)?.stack ?? error),
    );
  }
  return report;
};
