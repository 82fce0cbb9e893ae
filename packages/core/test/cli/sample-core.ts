import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RouteResponse } from "@pawl/protocol";
import { beforeAll, expect } from "vitest";
import { compulsory } from "../config/config-folder.js";
import { pawlProcesses } from "./pawl-process.js";
import { runIn } from "./run-here.js";

export const apiKey = "0123456789-cli-test-key";

/**
 * A real core on a SQLite file of its own, and a config.yaml by which the commands of one test file find it.
 * @param more further lines of it
 */
export const sampleCore = (more = "") => {
  const processes = pawlProcesses();
  const { folder, startCore } = processes;
  const runHere = runIn(folder);
  const core = { url: "" };

  beforeAll(async () => {
    // The core takes a free port itself; the commands then read the same file with that port in it.
    const config = (port: number): void =>
      writeFileSync(
        join(folder, "config.yaml"),
        `${compulsory}port: ${port}\nstorage: sqlite:./sessions.db\napi_keys: ${apiKey}\nlog_level: none\n${more}`,
      );
    config(0);
    core.url = (await startCore()).url;
    config(Number(new URL(core.url).port));
  });

  /** Creates a session and gives its handle. */
  const create = async (body: Record<string, unknown>): Promise<string> => {
    const response = await fetch(`${core.url}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json", "api-key": apiKey },
      body: JSON.stringify(body),
    });
    return ((await response.json()) as RouteResponse<"createSession">).session.handle;
  };

  /** What a command, run in this process, prints with `--json`; it must succeed. */
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await runHere([...args, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as T;
  };

  const handlesOf = async (...args: string[]): Promise<string[]> =>
    (await json<RouteResponse<"listSessions">>("sessions", "list", ...args)).sessions.map(({ handle }) => handle);

  return { ...processes, runHere, core, create, json, handlesOf };
};
