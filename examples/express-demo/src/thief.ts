import { randomUUID } from "node:crypto";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";
import { type ApplicationAnswer, refreshPath, type ThiefAnswer } from "./page/answers.js";
import { CookieJar, cookieNamesOf } from "./cookie-jar.js";
import { fingerprint, viewAccessToken } from "./token-view.js";

const mostJars = 200;

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly cookie: string;
}

/** Browsers of thieves: cookie jars with copied cookies, from which real requests are sent to the application. */
export class ThiefBrowsers {
  readonly #jars = new Map<string, CookieJar>();
  readonly #names: ReturnType<typeof cookieNamesOf>;
  readonly #certificate: string | undefined;

  /** @param certificate that of the application, in PEM, where it is served over https. */
  constructor(certificate?: string) {
    this.#certificate = certificate;
    this.#names = cookieNamesOf({ https: certificate !== undefined });
  }

  /** Puts copied cookies into a new jar, or in place of what a jar held. @returns the jar's name */
  steal(cookies: ReadonlyMap<string, string>, into: string | undefined): string {
    const name = into !== undefined && this.#jars.has(into) ? into : randomUUID();
    const jar = new CookieJar();
    for (const cookie of cookies) jar.set(...cookie);
    this.#jars.set(name, jar);
    const [oldest] = this.#jars.keys();
    if (this.#jars.size > mostJars && oldest !== undefined) this.#jars.delete(oldest);
    return name;
  }

  /**
   * Hands in the stolen refresh token, without the access token that may have come with it, and keeps what comes back.
   * @returns undefined when there is no such jar
   */
  refresh(jar: string, port: number | undefined): Promise<ThiefAnswer | undefined> {
    return this.#send(jar, port, { method: "POST", path: refreshPath, without: this.#names.access });
  }

  /** Calls the protected API with the access token that was copied, or came with a refresh. @returns undefined when there is no such jar */
  call(jar: string, port: number | undefined): Promise<ThiefAnswer | undefined> {
    return this.#send(jar, port, { method: "GET", path: "/api/greeting" });
  }

  async #send(
    name: string,
    port: number | undefined,
    { without, ...request }: Omit<Sent, "cookie"> & { readonly without?: string },
  ): Promise<ThiefAnswer | undefined> {
    const jar = this.#jars.get(name);
    if (jar === undefined) return undefined;
    const response = await this.#ask(port, { ...request, cookie: jar.header({ without }) });
    jar.receive(response.headers["set-cookie"] ?? []);
    const body = (await json(response)) as ApplicationAnswer;
    const refreshToken = jar.get(this.#names.refresh);
    const accessToken = viewAccessToken(jar.get(this.#names.access));
    return {
      status: response.statusCode ?? 0,
      code: body.code,
      message: body.message ?? "",
      ...(accessToken === undefined || refreshToken === undefined
        ? {}
        : { holds: { seq: accessToken.seq, fingerprint: fingerprint(refreshToken), issuedAt: accessToken.issuedAt } }),
    };
  }

  #ask(port: number | undefined, { method, path, cookie }: Sent): Promise<IncomingMessage> {
    const options = { host: "127.0.0.1", port, path, method, headers: { cookie, "user-agent": "thief" } };
    return new Promise((resolve, reject) => {
      const sent =
        this.#certificate === undefined ? httpRequest(options) : httpsRequest({ ...options, ca: this.#certificate });
      sent.on("response", resolve).on("error", reject).end();
    });
  }
}
