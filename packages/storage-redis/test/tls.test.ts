import { freePort, makeCertificate, startRedis } from "@pawl/test-servers";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

it("encrypts, and accepts the server's certificate as the URL says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [own, other] = ["localhost", "elsewhere"].map((name) =>
    makeCertificate([`DNS:${name}`], { folder, account: "redis" }),
  );
  const server = await startRedis();
  onTestFinished(() => server.stop());
  for (const [name, value] of [
    ["tls-ca-cert-file", own!.ca],
    ["tls-cert-file", own!.cert],
    ["tls-key-file", own!.key],
    ["tls-auth-clients", "no"],
  ] as const)
    server.command("config", "set", name, value);
  const port = await freePort();
  server.command("config", "set", "tls-port", String(port));
  const open = (options: string) => openStorage(`rediss://localhost:${port}${options}`);
  for (const accepted of [`?tls_ca=${own!.ca}`, "?tls_verify=false"]) {
    const storage = await open(accepted);
    await storage.migrate();
    await storage.close();
  }
  const refusal = { code: "unavailable", message: expect.stringContaining("tls_ca") as string };
  for (const refused of ["", `?tls_ca=${other!.ca}`, `?tls_ca=${own!.ca}&tls_servername=elsewhere`])
    await expect(open(refused), refused).rejects.toMatchObject(refusal);
  await expect(openStorage(`redis://localhost:${port}?timeout=1000`)).rejects.toMatchObject({ code: "unavailable" });
});
