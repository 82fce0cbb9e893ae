import { spawn } from "node:child_process";
import { startCore } from "@pawl/core";
import { expect, test } from "vitest";
import { coreConfig } from "./core-config.js";

/** Runs a program of an application, with the built package. @returns what it printed, once it has ended by itself. */
const run = async (program: string): Promise<string> => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { cwd: import.meta.dirname });
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  child.stderr.on("data", (chunk) => (text += String(chunk)));
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  return `${text.trim()} (exit ${String(code)})`;
};

test("a program with a core ends by itself: feed, key reading and idle connections keep no process alive", async () => {
  const core = await startCore(coreConfig());
  const { host, port } = core.address;
  const printed = await run(`
    import { createPawl } from "@pawl/supertokens";
    const pawl = createPawl({ core: [{ hostname: "${host}", port: ${port} }], cookies: { sameSite: "lax" } });
    const waiting = setInterval(() => undefined, 1000);
    await pawl.sessions.onRevoked(() => {
      clearInterval(waiting);
      console.log("the feed stands");
    });
    const { session } = await pawl.tokens.createNewSession("u1");
    await pawl.revokeSessionUsingSessionHandle(session.handle);
  `);
  expect(printed).toBe("the feed stands (exit 0)");
  await core.close();
});

test("a program with the engine in process ends by itself", async () => {
  const printed = await run(`
    import { createPawl } from "@pawl/supertokens";
    const pawl = createPawl({ storage: "memory:" });
    await pawl.tokens.createNewSession("u1");
    console.log("done");
  `);
  expect(printed).toBe("done (exit 0)");
});
