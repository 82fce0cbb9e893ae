import { randomUUID } from "node:crypto";
import { type ApplicationAnswer, refreshPath, type ThiefAnswer } from "./page/answers.js";
import { CookieJar, cookieNames } from "./cookie-jar.js";
import { fingerprint, viewAccessToken } from "./token-view.js";

const mostJars = 200;

/** Browsers of thieves: cookie jars with copied refresh tokens, from which real requests are sent to the application. */
export class ThiefBrowsers {
  readonly #jars = new Map<string, CookieJar>();

  /** Puts a copied refresh token into a new jar, or in place of what a jar held. @returns the jar's name */
  steal(refreshToken: string, into: string | undefined): string {
    const name = into !== undefined && this.#jars.has(into) ? into : randomUUID();
    const jar = new CookieJar();
    jar.set(cookieNames.refresh, refreshToken);
    this.#jars.set(name, jar);
    const [oldest] = this.#jars.keys();
    if (this.#jars.size > mostJars && oldest !== undefined) this.#jars.delete(oldest);
    return name;
  }

  /** Hands in the stolen token and keeps what comes back. @returns undefined when there is no such jar */
  refresh(jar: string, origin: string): Promise<ThiefAnswer | undefined> {
    return this.#send(jar, { method: "POST", url: `${origin}${refreshPath}` });
  }

  /** Calls the protected API with the access token that came with a refresh. @returns undefined when there is no such jar */
  call(jar: string, origin: string): Promise<ThiefAnswer | undefined> {
    return this.#send(jar, { method: "GET", url: `${origin}/api/greeting` });
  }

  async #send(
    name: string,
    request: { readonly method: string; readonly url: string },
  ): Promise<ThiefAnswer | undefined> {
    const jar = this.#jars.get(name);
    if (jar === undefined) return undefined;
    const response = await fetch(request.url, {
      method: request.method,
      headers: { cookie: jar.header(), "user-agent": "thief" },
    });
    jar.receive(response.headers.getSetCookie());
    const body = (await response.json()) as ApplicationAnswer;
    const refreshToken = jar.get(cookieNames.refresh);
    const accessToken = viewAccessToken(jar.get(cookieNames.access));
    return {
      status: response.status,
      code: body.code,
      message: body.message ?? "",
      ...(accessToken === undefined || refreshToken === undefined
        ? {}
        : { holds: { seq: accessToken.seq, fingerprint: fingerprint(refreshToken), issuedAt: accessToken.issuedAt } }),
    };
  }
}
