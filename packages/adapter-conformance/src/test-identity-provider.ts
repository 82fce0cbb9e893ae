import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { TestClock } from "./test-clock.js";

export const BACKCHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout";

type Json = Readonly<Record<string, unknown>>;

const encoded = (part: Json): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** An identity provider as far as logouts need one: metadata, keys, and the tokens it signs. */
export class TestIdentityProvider {
  static readonly clientId = "my-app";

  /** Answers in its place what it returns true for. */
  instead: (...asked: Parameters<RequestListener>) => boolean = () => false;
  /** How often its keys were asked for. */
  keysAsked = 0;
  /** Whose time its tokens tell. */
  clock: TestClock;
  readonly #server = createServer((request, response) => {
    if (this.instead(request, response)) return;
    const answers: Readonly<Record<string, () => Json>> = {
      "/.well-known/openid-configuration": () => ({ issuer: this.issuer, jwks_uri: this.jwksUri }),
      "/jwks": () => ({ keys: this.keys }),
    };
    if (request.url === "/jwks") this.keysAsked += 1;
    const answer = answers[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200).end(answer && JSON.stringify(answer()));
  });
  #origin = "";
  #kid = "";
  #privateKey: KeyObject | undefined;
  /** What it publishes. */
  keys: readonly Json[] = [];

  private constructor(clock: TestClock) {
    this.clock = clock;
    this.rotate();
  }

  static async open(clock = new TestClock()): Promise<TestIdentityProvider> {
    const provider = new TestIdentityProvider(clock);
    provider.#server.listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    provider.#origin = `http://127.0.0.1:${(provider.#server.address() as AddressInfo).port}`;
    return provider;
  }

  get issuer(): string {
    return this.#origin;
  }

  get jwksUri(): string {
    return `${this.#origin}/jwks`;
  }

  /** What the application configures of it. */
  get settings() {
    return { issuer: this.issuer, clientId: TestIdentityProvider.clientId };
  }

  /** Signs with another key from now on. */
  rotate(): void {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#privateKey = privateKey;
    this.#kid = randomUUID();
    this.keys = [{ ...publicKey.export({ format: "jwk" }), kid: this.#kid, use: "sig", alg: "RS256" }];
  }

  /** The claims of a logout token: those of the specification with these changes, of which undefined ones are left out. */
  claims(changes: Json): Json {
    const now = Math.floor(this.clock.now() / 1000);
    return {
      iss: this.issuer,
      aud: TestIdentityProvider.clientId,
      iat: now,
      exp: now + 120,
      jti: randomUUID(),
      events: { [BACKCHANNEL_LOGOUT]: {} },
      ...changes,
    };
  }

  /** Signs a logout token. */
  logoutToken(changes: Json, header: Json = {}): string {
    return this.signed(this.claims(changes), header);
  }

  signed(claims: Json, header: Json = {}): string {
    const input = `${encoded({ alg: "RS256", kid: this.#kid, typ: "logout+jwt", ...header })}.${encoded(claims)}`;
    return `${input}.${sign("sha256", Buffer.from(input), this.#privateKey as KeyObject).toString("base64url")}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
