import { makeCertificate, startPostgres } from "@pawl/test-servers";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

it("encrypts, and accepts the server's certificate as the URL says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const own = makeCertificate(["DNS:localhost", "IP:127.0.0.1"], { folder, account: "postgres" });
  const other = makeCertificate(["DNS:elsewhere"], { folder, account: "postgres" });
  const start = async (files: typeof own) => {
    const settings = { ssl: "on", ssl_cert_file: files.cert, ssl_key_file: files.key, ssl_ca_file: own.ca };
    const server = await startPostgres({ settings });
    onTestFinished(() => server.stop());
    return server;
  };
  const server = await start(own);
  // From now on only connections that are encrypted, and one account that shows a certificate.
  server.sql("CREATE ROLE server LOGIN SUPERUSER; CREATE ROLE bound LOGIN SUPERUSER PASSWORD 'secret'");
  const hba = server.sql("SHOW hba_file");
  const rules = [
    "hostssl all server all cert",
    "hostssl all bound all scram-sha-256",
    "hostssl all all all trust",
    "hostnossl all all 127.0.0.1/32 reject",
  ];
  rmSync(hba);
  appendFileSync(hba, `${rules.join("\n")}\n`, { mode: 0o644 });
  const encrypted = (host: string, options: string, user = "pawl"): string =>
    `postgres://${user}@${host}:${server.port}/postgres?${options}`;
  server.sql("SELECT pg_reload_conf()");

  for (const accepted of [
    encrypted("localhost", "sslmode=require"),
    encrypted("localhost", "sslmode=prefer"),
    encrypted("localhost", `sslmode=require&channel_binding=require&sslrootcert=${own.ca}`, "bound:secret"),
    encrypted("localhost", "sslmode=require&channel_binding=prefer", "bound:secret"),
    encrypted("localhost", `sslmode=verify-ca&sslrootcert=${own.ca}`),
    encrypted("localhost", `sslmode=verify-full&sslrootcert=${own.ca}`),
    encrypted("127.0.0.1", `sslmode=verify-full&sslrootcert=${own.ca}`),
    encrypted("localhost", `sslmode=require&sslcert=${own.cert}&sslkey=${own.key}`, "server"),
  ]) {
    const storage = await openStorage(accepted);
    await storage.migrate();
    await storage.ping();
    await storage.close();
  }
  const refused = { code: "unavailable", message: expect.stringContaining("certificate is not accepted") as string };
  for (const unverified of [
    "verify-ca",
    "verify-full",
    `require&sslrootcert=${other.ca}`,
    "require&channel_binding=require",
  ])
    await expect(openStorage(encrypted("localhost", `sslmode=${unverified}`)), unverified).rejects.toMatchObject(
      refused,
    );
  await expect(openStorage(encrypted("localhost", ""))).rejects.toMatchObject({ code: "unavailable" });
  await expect(openStorage(encrypted("localhost", "sslmode=require", "server"))).rejects.toMatchObject({
    message: "the server refuses this user or password, or wants encryption: see sslmode",
  });

  const elsewhere = await start(other);
  const at = (mode: string): string =>
    `postgres://pawl@localhost:${elsewhere.port}/postgres?sslmode=${mode}&sslrootcert=${other.ca}`;
  await (await openStorage(at("verify-ca"))).close();
  await expect(openStorage(at("verify-full"))).rejects.toMatchObject(refused);

  const plain = await startPostgres({ settings: { fsync: "off" } });
  onTestFinished(() => plain.stop());
  await (await openStorage(`${plain.url}?sslmode=prefer`)).close();
  await expect(openStorage(`${plain.url}?sslmode=require`)).rejects.toMatchObject({
    message: "the server does not encrypt, and sslmode asks for it",
  });
});
