import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiKey, sampleCore } from "./sample-core.js";

const { core, folder, runHere } = sampleCore();

describe("finding the core", () => {
  const keyFile = join(folder, "key");
  beforeAll(() => writeFileSync(keyFile, `${apiKey}\n`));

  test("--url does not take the keys of a file that happens to lie here", async () => {
    const elsewhere = ["keys", "list", "--url", core.url];
    expect(await runHere(elsewhere)).toMatchObject({
      code: 1,
      stderr: `pawl: the core at ${core.url} asks for an API key: say --api-key-file <file>, or --config <its config.yaml>\n`,
    });
    expect((await runHere([...elsewhere, "--api-key-file", "key"])).code).toBe(0);
    expect((await runHere([...elsewhere, "--config", "config.yaml"])).code).toBe(0);
    expect((await runHere(elsewhere, { env: { PAWL_API_KEYS: apiKey } })).code).toBe(0);
    expect(
      (await runHere(["keys", "list"], { env: { PAWL_URL: `${core.url}/`, PAWL_API_KEY_FILE: keyFile } })).code,
    ).toBe(0);
  });

  test("a wrong key is told, and shown nowhere", async () => {
    writeFileSync(join(folder, "wrong"), "CANARY-CANARY-CANARY-CANARY");
    const { code, stdout, stderr } = await runHere(["keys", "list", "--api-key-file", "wrong", "--verbose"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`the core at ${core.url} refuses the API key`);
    expect(stdout + stderr).not.toContain("CANARY");
  });

  test.each([
    ["none", "the API key file cannot be read (ENOENT): "],
    [".", "the API key file cannot be read (EISDIR): "],
    ["empty", "the API key file holds no API key: "],
  ])("an API key file that is %s", async (name, message) => {
    writeFileSync(join(folder, "empty"), "\n");
    expect(await runHere(["keys", "list", "--api-key-file", name])).toEqual({
      code: 2,
      stdout: "",
      stderr: `pawl: ${message}${join(folder, name)}\n`,
    });
  });

  test.each(["localhost:3567", "ftp://localhost", "http://", "http://u:p@localhost", "http://localhost?x"])(
    "--url %s is wrong usage",
    async (wrong) => {
      expect(await runHere(["keys", "list", "--url", wrong])).toEqual({
        code: 2,
        stdout: "",
        stderr: "pawl: --url must be the address of a core, such as http://localhost:3567\n",
      });
    },
  );

  test("a configured port of 0 cannot be called", async () => {
    expect(await runHere(["keys", "list"], { env: { PAWL_PORT: "0" } })).toMatchObject({
      code: 2,
      stderr: "pawl: the configured port is 0, a free one at each start: say --url http://localhost:<port>\n",
    });
  });

  test("when no core runs it says how to start one", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const { code, stdout, stderr } = await runHere(["sessions", "list"], { env: { PAWL_PORT: String(port) } });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `pawl: no core answers at http://localhost:${port} (ECONNREFUSED); start one with  pawl start  or name another one with --url\n`,
    });
    const asJson = await runHere(["sessions", "list", "--json"], { env: { PAWL_PORT: String(port) } });
    expect(JSON.parse(asJson.stderr)).toEqual({ error: { message: stderr.slice("pawl: ".length, -1) } });
  });

  describe("something else listens there", () => {
    const replies: readonly (readonly [number, string, string])[] = [
      [200, "text/html", "<html>"],
      [404, "application/json", "{}"],
      [302, "text/plain", ""],
    ];
    const other = createHttpServer((request, response) => {
      const [status, type, body] = replies[Number(request.url?.slice(1, 2))] ?? [500, "text/plain", ""];
      response.writeHead(status, { "content-type": type, location: "/0/" }).end(body);
    });
    let elsewhere = "";
    beforeAll(async () => {
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      elsewhere = `http://127.0.0.1:${(other.address() as { port: number }).port}`;
    });
    afterAll(() => other.close());

    test.each(replies.map(([status], index) => [status, index]))("with status %i", async (status, index) => {
      expect(await runHere(["keys", "list", "--url", `${elsewhere}/${index}`])).toMatchObject({
        code: 1,
        stderr: `pawl: ${elsewhere}/${index} answers (status ${status}), but not as a Pawl core\n`,
      });
    });
  });
});
