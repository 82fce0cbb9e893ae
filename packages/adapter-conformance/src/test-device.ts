import { generateKeyPairSync, sign } from "node:crypto";
import type { Received, Visitor } from "./visitor.js";

/** Sessions are bound over TLS alone, which a proxy may end: a name that is not this machine says so. */
const HOST = "app.example.com";
export const DEVICE = "/session/device";

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The text of a parameter, or the first text, of a structured field (RFC 9651). */
const textIn = (field: unknown, parameter = ""): string =>
  new RegExp(`${parameter === "" ? "^" : `;${parameter}=`}"([^"]*)"`, "u").exec(String(field))?.[1] ?? "";

/** A browser that binds sessions to a key of its device (DBSC), which it keeps in software. */
export class TestDevice {
  readonly visitor: Visitor;
  readonly #key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  /** What it keeps of the bound session. */
  #kept = { id: "", challenge: "" };

  constructor(visitor: Visitor) {
    this.visitor = visitor;
  }

  get handle(): string {
    return this.#kept.id;
  }

  ask(path: string, method = "GET", headers: Readonly<Record<string, string>> = {}): Promise<Received> {
    return this.visitor.ask(path, { method, headers: { ...headers, host: HOST } });
  }

  /** Signs a challenge: a JWT, with the key where it is a new one. */
  proof(challenge: string, isNew = false): string {
    const { privateKey: key, publicKey } = this.#key;
    const jwk = isNew ? { jwk: publicKey.export({ format: "jwk" }) } : {};
    const signed = `${encoded({ alg: "ES256", typ: "dbsc+jwt", ...jwk })}.${encoded({ jti: challenge })}`;
    const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
    return `"${signed}.${signature.toString("base64url")}"`;
  }

  /** Logs in, and brings the key where that is asked for. @returns the answer to the login, and what came of the key */
  async logIn(): Promise<{ readonly login: Received; readonly registered: Received }> {
    const login = await this.ask("/login", "POST");
    const offer = login.headers["secure-session-registration"];
    const proof = this.proof(textIn(offer, "challenge"), true);
    const registered = await this.ask(textIn(offer, "path"), "POST", { "secure-session-response": proof });
    this.#keep(registered);
    this.#kept.id = (registered.json as { readonly session_identifier?: string }).session_identifier ?? "";
    return { login, registered };
  }

  /** Asks for a refresh: with a proof over the challenge that it was given last, with one given, or without. */
  async refresh(proof: string | undefined = this.proof(this.#kept.challenge)): Promise<Received> {
    const headers = { "sec-secure-session-id": `"${this.#kept.id}"` };
    const answer = await this.ask(
      DEVICE,
      "POST",
      proof === "" ? headers : { ...headers, "secure-session-response": proof },
    );
    this.#keep(answer);
    return answer;
  }

  #keep({ headers }: Received): void {
    const given = headers["secure-session-challenge"];
    if (given !== undefined) this.#kept.challenge = textIn(given);
  }
}
