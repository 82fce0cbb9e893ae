import { Cookie, CookieJar, MemoryCookieStore } from "tough-cookie";
import { isRefreshToken, readAccessToken, type SeenToken } from "./session-tokens.js";

/** A cookie that a browser does not take. */
export interface RefusedCookie {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

/** The session that a jar holds. */
export interface HeldSession {
  readonly access?: SeenToken | undefined;
  /** Of the refresh cookie. */
  readonly path?: string | undefined;
}

/** The cookies of a browser (RFC 6265bis), by a clock of their own. */
export class Jar {
  readonly #store = new MemoryCookieStore();
  readonly #jar = new CookieJar(this.#store, { prefixSecurity: "strict" });
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a page of the same site sends there. */
  sentTo(url: URL): readonly Cookie[] {
    const found = this.#jar.getCookiesSync(url.href, { expire: false, sameSiteContext: "strict" });
    return found.filter((cookie) => this.#isKept(cookie));
  }

  /** Takes the lines of `Set-Cookie`. @returns those that a browser refuses. */
  take(lines: readonly string[], url: URL): readonly RefusedCookie[] {
    const refused: RefusedCookie[] = [];
    for (const line of lines) {
      const cookie = Cookie.parse(line);
      if (cookie === undefined) continue;
      // The jar counts `Max-Age` from the machine's time.
      if (typeof cookie.maxAge === "number") cookie.expires = new Date(this.#now() + cookie.maxAge * 1000);
      cookie.maxAge = null;
      const { key: name, value } = cookie;
      try {
        this.#jar.setCookieSync(cookie, url.href, { sameSiteContext: "strict", now: new Date(this.#now()) });
      } catch (error) {
        refused.push({ name, value, why: (error as Error).message });
      }
    }
    return refused;
  }

  /** What is held of a session, wherever its cookies are sent to. */
  session(): HeldSession {
    const all = this.#all();
    const access = all.map(({ value }) => readAccessToken(value)).find((token) => token !== undefined);
    const path = all.find(({ value }) => isRefreshToken(value))?.path ?? undefined;
    return { access, path };
  }

  /** A copy of the cookies: a thief's, say. @param keeps which. */
  copy(keeps: (cookie: Cookie) => boolean = () => true): Jar {
    const copy = new Jar(this.#now);
    for (const cookie of this.#all().filter(keeps)) void copy.#store.putCookie(cookie.clone() ?? cookie);
    return copy;
  }

  #all(): readonly Cookie[] {
    let all: readonly Cookie[] = [];
    // A store in memory answers at once.
    this.#store.getAllCookies((_error, found) => (all = found ?? []));
    return all.filter((cookie) => this.#isKept(cookie));
  }

  #isKept(cookie: Cookie): boolean {
    return cookie.expires === "Infinity" || cookie.expires === null || cookie.expires.getTime() > this.#now();
  }
}
