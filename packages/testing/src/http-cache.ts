import type { ServedAnswer } from "./application.js";

/** The directives of `Cache-Control` (RFC 9111 section 5.2), in lower case. */
const directivesOf = ({ headers }: Pick<ServedAnswer, "headers">): ReadonlyMap<string, string> =>
  new Map(
    (headers.get("cache-control") ?? "").split(",").map((part) => {
      const [name = "", value = ""] = part.trim().toLowerCase().split("=");
      return [name, value.replaceAll('"', "")];
    }),
  );

const dependsOnCookies = ({ headers }: Pick<ServedAnswer, "headers">): boolean =>
  /(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(headers.get("vary") ?? "");

/** Whether a cache that people share may answer others with it (RFC 9111 section 3), without asking again. */
export const isForEverybody = (answer: Pick<ServedAnswer, "headers">): boolean => {
  const found = directivesOf(answer);
  if (["no-store", "no-cache", "private"].some((name) => found.has(name)) || dependsOnCookies(answer)) return false;
  return found.has("public") || Number(found.get("s-maxage") ?? found.get("max-age")) > 0;
};

/** What a browser keeps of pages, as far as their answers allow it by name. */
export class HttpCache {
  readonly #kept = new Map<string, { readonly answer: ServedAnswer; readonly until: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  find(url: URL): ServedAnswer | undefined {
    const { answer, until = 0 } = this.#kept.get(url.href) ?? {};
    return until > this.#now() ? answer : undefined;
  }

  keep(url: URL, answer: ServedAnswer): void {
    const found = directivesOf(answer);
    const age = Number(found.get("max-age") ?? 0);
    const isKept = answer.status === 200 && age > 0 && !found.has("no-store") && !found.has("no-cache");
    if (isKept && !dependsOnCookies(answer)) this.#kept.set(url.href, { answer, until: this.#now() + age * 1000 });
  }
}
