import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, serverUser } from "./server-process.js";

/** The files of a certificate. */
export interface CertificateFiles {
  /** The certificate of the authority that signed it. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes an authority and a certificate for names that it signed, in PEM, with `openssl`.
 * @param names as in a certificate: `DNS:localhost`, `IP:127.0.0.1`.
 * @param options.folder where the files are put.
 * @param options.account of the server, which may be the only one to read the key.
 */
export const makeCertificate = (
  names: readonly string[],
  { folder, account }: { readonly folder: string; readonly account: string },
): CertificateFiles => {
  const stem = names.join("-").replaceAll(/[^a-zA-Z0-9.]/gu, "-");
  const file = (kind: string): string => join(folder, `${stem}.${kind}`);
  const openssl = (...args: readonly string[]): string => runProgram("openssl", args);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-keyout", file("ca-key"), "-out", file("ca"), "-subj", "/CN=authority"];
  openssl("req", "-x509", "-days", "2", ...key, ...authority);
  openssl("req", ...key, "-keyout", file("key"), "-out", file("request"), "-subj", "/CN=server");
  writeFileSync(file("names"), `subjectAltName = ${names.join(",")}`);
  const signed = ["-CA", file("ca"), "-CAkey", file("ca-key"), "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", file("request"), ...signed, "-extfile", file("names"), "-out", file("cert"));
  chmodSync(folder, 0o755);
  chmodSync(file("key"), 0o600);
  const user = serverUser(account);
  if (user !== undefined) chownSync(file("key"), user.uid, user.gid);
  return { ca: file("ca"), cert: file("cert"), key: file("key") };
};
