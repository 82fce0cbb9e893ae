/** The cookies of a `Cookie` request header, by name; the first of a name wins. */
export const readCookies = (header: string | undefined): ReadonlyMap<string, string> => {
  const cookies = new Map<string, string>();
  for (const part of (header ?? "").split(";")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, equals).trim();
    if (equals > 0 && !cookies.has(name)) cookies.set(name, decode(part.slice(equals + 1).trim()));
  }
  return cookies;
};

/** The names of the session's cookies: on plain http, which is for one's own machine alone, without `__Host-`. */
export const cookieNamesOf = ({ https }: { readonly https: boolean }) => {
  const prefix = https ? "__Host-pawl" : "pawl";
  return { access: `${prefix}-access`, refresh: `${prefix}-refresh` } as const;
};

const decode = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

/** A second place for cookies: what a thief does with a copied one. Paths and expiry are of no interest to a thief. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  get(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  set(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** Takes in the `Set-Cookie` lines of an answer; an empty value removes the cookie. */
  receive(lines: readonly string[]): void {
    for (const line of lines)
      for (const [name, value] of readCookies(line.split(";", 1)[0]))
        if (value === "") this.#cookies.delete(name);
        else this.#cookies.set(name, value);
  }

  /** The `Cookie` header that a request from this jar carries, all cookies or all but one. */
  header({ without }: { readonly without?: string | undefined } = {}): string {
    const sent = [...this.#cookies].filter(([name]) => name !== without);
    return sent.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ");
  }
}
