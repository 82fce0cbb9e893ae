import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate for this machine, which no browser trusts by itself. */
export interface Certificate {
  /** PEM */
  readonly cert: string;
  /** PEM */
  readonly key: string;
  /** What a browser can be told to trust it by: base64 SHA-256 of its public key. */
  readonly digest: string;
}

const DAYS = 30;
const NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1";

const isGood = (path: string): boolean =>
  existsSync(path) && Date.parse(new X509Certificate(readFileSync(path)).validTo) > Date.now();

/**
 * Makes a certificate in a folder, or takes the one that is there.
 * @throws Error with one line where there is no `openssl`
 */
export const makeCertificate = (folder: string): Certificate => {
  const [certPath, keyPath] = [join(folder, "certificate.pem"), join(folder, "certificate-key.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", String(DAYS)];
  const about = ["-subj", "/CN=localhost", "-addext", NAMES, "-keyout", keyPath, "-out", certPath];
  if (!isGood(certPath) || !existsSync(keyPath))
    try {
      execFileSync("openssl", ["req", "-x509", ...kind, ...about], { stdio: "ignore" });
    } catch (error) {
      throw new Error("--https makes its certificate with openssl, which did not work here: install it", {
        cause: error,
      });
    }
  const cert = readFileSync(certPath, "utf8");
  const publicKey = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return {
    cert,
    key: readFileSync(keyPath, "utf8"),
    digest: createHash("sha256").update(publicKey).digest("base64"),
  };
};

/**
 * Options for Chromium: to trust a certificate, and to keep keys of bound sessions in software where the machine has no other
 * place for them. They need a profile of their own.
 */
export const browserFlags = ({ digest }: Certificate, profile: string): readonly string[] => [
  `--user-data-dir=${profile}`,
  `--ignore-certificate-errors-spki-list=${digest}`,
  "--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
];
