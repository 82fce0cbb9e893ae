import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "@pawl/test-servers";
import { afterAll } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "pawl-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made: ReturnType<typeof makeCertificate> | undefined;

/** The files of a certificate for the loopback address, made once for a file of tests. */
export const certificate = (): ReturnType<typeof makeCertificate> =>
  (made ??= makeCertificate(["DNS:localhost", "IP:127.0.0.1"], { folder, account: "nobody" }));
