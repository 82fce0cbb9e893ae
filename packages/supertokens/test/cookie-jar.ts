interface StoredCookie {
  readonly name: string;
  readonly value: string;
  /** With a dot in front when it goes to hosts below as well. */
  readonly domain: string;
  readonly path: string;
  readonly line: string;
}

/** A cookie jar as RFC 6265 has it, as far as name, domain and path identify a cookie and decide where it goes. */
export class CookieJar {
  #cookies: readonly StoredCookie[] = [];

  /** The `Cookie` header of a request; longer paths first, then older ones. */
  header(host: string, path: string): string {
    return this.#cookies
      .filter((it) => it.domain === host || (it.domain.startsWith(".") && `.${host}`.endsWith(it.domain)))
      .filter((it) => path === it.path || path.startsWith(it.path.endsWith("/") ? it.path : `${it.path}/`))
      .toSorted((one, other) => other.path.length - one.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  receive(host: string, lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const given = /; Domain=\.?([^;]+)/.exec(line)?.[1];
      const domain = given === undefined ? host : `.${given}`;
      const path = /; Path=([^;]+)/.exec(line)?.[1] ?? "/";
      if (name.startsWith("__Host-") && (given !== undefined || path !== "/" || !line.includes("; Secure")))
        throw new Error(`a browser refuses ${line}`);
      if (name.startsWith("__Secure-") && !line.includes("; Secure")) throw new Error(`a browser refuses ${line}`);
      if (given !== undefined && !`.${host}`.endsWith(domain)) throw new Error(`a browser refuses ${line}`);
      const others = this.#cookies.filter((it) => it.name !== name || it.domain !== domain || it.path !== path);
      const isOver = line.includes("Expires=Thu, 01 Jan 1970");
      this.#cookies = isOver ? others : [...others, { name, value, domain, path, line }];
    }
  }

  clear(): void {
    this.#cookies = [];
  }

  /** Name, domain and path of each cookie. */
  get places(): readonly string[] {
    return this.#cookies.map(({ name, domain, path }) => `${name} ${domain} ${path}`).toSorted();
  }

  value(name: string): string | undefined {
    return this.#cookies.find((it) => it.name === name)?.value;
  }
}
