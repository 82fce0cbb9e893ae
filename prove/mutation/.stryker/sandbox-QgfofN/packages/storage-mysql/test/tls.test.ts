import { startMariaDb } from "@pawl/test-servers";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openStorage } from "../src/index.js";

/** The certificate of an authority, the certificate it signed for a name, and its key: new files of a temporary folder. */
const certify = (folder: string, name: string) => {
  const file = (kind: string): string => join(folder, `${name}.${kind}`);
  const openssl = (...args: readonly string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    "-days",
    "2",
    ...key,
    "-keyout",
    file("ca-key"),
    "-out",
    file("ca"),
    "-subj",
    `/CN=authority of ${name}`,
  );
  openssl("req", ...key, "-keyout", file("key"), "-out", file("request"), "-subj", `/CN=${name}`);
  writeFileSync(file("names"), `subjectAltName = DNS:${name}`);
  const signed = ["-CA", file("ca"), "-CAkey", file("ca-key"), "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", file("request"), ...signed, "-extfile", file("names"), "-out", file("cert"));
  chmodSync(file("key"), 0o644);
  return { ca: file("ca"), cert: file("cert"), key: file("key") };
};

it("encrypts, and accepts the server's certificate as the URL says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const [own, other] = [certify(folder, "localhost"), certify(folder, "elsewhere")];
  const used = { ca: join(folder, "ca"), cert: join(folder, "cert"), key: join(folder, "key") };
  const use = (files: typeof own): void => {
    for (const kind of ["ca", "cert", "key"] as const) copyFileSync(files[kind], used[kind]);
  };
  use(own);
  const server = await startMariaDb({ settings: { "ssl-ca": used.ca, "ssl-cert": used.cert, "ssl-key": used.key } });
  onTestFinished(() => server.stop());
  server.sql("CREATE USER pawl@'%' REQUIRE SSL; GRANT ALL ON pawl.* TO pawl@'%'");
  const open = (options: string) => openStorage(`mysql://pawl@localhost:${server.port}/pawl${options}`);
  const refusal = { code: "unavailable", message: expect.stringContaining("ssl_ca") as string };

  for (const accepted of ["required", `verify_ca&ssl_ca=${own.ca}`, `verify_identity&ssl_ca=${own.ca}`])
    await (await open(`?ssl_mode=${accepted}`)).close();
  await expect(open("")).rejects.toMatchObject({ code: "unavailable" });
  for (const refused of ["verify_ca", `verify_ca&ssl_ca=${other.ca}`, `verify_identity&ssl_ca=${other.ca}`])
    await expect(open(`?ssl_mode=${refused}`), refused).rejects.toMatchObject(refusal);

  use(other);
  server.sql("FLUSH SSL");
  await (await open(`?ssl_mode=verify_ca&ssl_ca=${other.ca}`)).close();
  await expect(open(`?ssl_mode=verify_identity&ssl_ca=${other.ca}`)).rejects.toMatchObject(refusal);
});
