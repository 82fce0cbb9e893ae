import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const page = readFileSync(`${root}docs/reference/standards.md`, "utf8");

/** The rows of the two tables, header and rule left out. */
const [vulnerabilities = [], statements = []] = page
  .split(/^## /mu)
  .slice(1)
  .map((section) =>
    section
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(2)
      .map((line) =>
        line
          .slice(1, -1)
          .split(" | ")
          .map((cell) => cell.trim()),
      ),
  );

/** What has to be in the first column, in this order. */
const known = [
  "CVE-2015-9235",
  "CVE-2022-23540, CVE-2023-48223, CVE-2026-22817, CVE-2026-22818",
  "CVE-2018-0114",
  "CVE-2022-21449",
  "CVE-2026-35042",
  "GHSA-rp9m-7r4c-75qg",
  "CVE-2025-2559",
  "CVE-2025-30204, CVE-2025-27144",
  "CVE-2025-58186",
  "CVE-2026-1035",
  "CVE-2026-9802",
  "CVE-2026-90997",
  "CVE-2020-15223",
  "redis-py, March 2023",
  "CVE-2025-48947, CVE-2025-64762, CVE-2023-30861",
  "CVE-2024-47764, GHSA-5pq2-9x2x-5p6w",
  "CVE-2026-39410",
  "CVE-2022-25896",
  "CVE-2024-31999, CVE-2024-35220",
  "GHSA-xg6x-h9c9-2m83",
  "CVE-2022-41919",
  "GHSA-92vm-wfm5-mxvv",
  "CVE-2019-10744",
  "CVE-2024-27982, CVE-2024-22019",
  "CVE-2023-6563",
  "CVE-2022-31186",
  "CVE-2026-45364",
  "SuperTokens core 1.0.0",
];
const asked = [
  ..."7.1.1 7.1.2 7.1.3 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.5 7.5.2".split(" "),
  ..."9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 3.3.1 3.3.2 3.3.3 3.3.4 3.3.5 3.5.1 3.5.2 3.5.3".split(" "),
  ..."10.4.5 10.4.8 10.5.5 11.2.4 14.3.2 15.4.2 16.2.5 16.5.3".split(" "),
].map((number) => `ASVS ${number}`);
const others = [
  "RFC 9700 section 2.2.2",
  "FAPI 2.0 section 5.3.2.1",
  "RFC 9068 sections 2 and 4",
  "RFC 7662",
  "RFC 7009",
  "RFC 8414 section 3",
  "RFC 6749 section 5.2",
  "RFC 8725: one algorithm for each key",
  "RFC 8725: explicit `typ`",
  "RFC 8725: unknown `crit` is rejected",
  "RFC 8725: kinds of token are not interchangeable",
  "RFC 6265bis: a cookie over 4096 octets is dropped whole",
  "RFC 6265bis: a life of at most 400 days",
  "RFC 6265bis: `SameSite=None` needs `Secure`",
  "RFC 6265bis: `__Host-` unless a domain is configured, then `__Secure-`",
  "OWASP CSRF: unsafe methods with `Sec-Fetch-Site: cross-site` are rejected",
  "OWASP CSRF: `Origin` as the fallback",
  "RFC 6455 section 10.2",
  "NIST SP 800-63B-4",
  "OpenID Connect Back-Channel Logout 1.0 section 2.6",
  "OpenID Connect Back-Channel Logout 1.0 sections 2.7 and 2.8",
];

/** The anchors of a page. */
const sectionsOf = (file: string): readonly string[] =>
  [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gmu)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("docs/reference/standards.md", () => {
  test("maps every known vulnerability and every statement, and nothing else", () => {
    expect(vulnerabilities.map(([id]) => id)).toEqual(known);
    expect(statements.map(([statement]) => statement)).toEqual([...asked, ...others]);
  });

  test.each([...vulnerabilities, ...statements].map((cells) => [cells[0], cells.at(-1) ?? ""]))(
    "%s names tests that are there, or says whose it is",
    (_, shown) => {
      const links = [...shown.matchAll(/\[((?:[^[\]]|\[[^\]]*\])+)\]\(([^)]+)\)/gu)];
      const isElsewhere = /\*planned\*|\*the application's\*|\*the browser's\*/u.test(shown);
      expect(links.length > 0 || isElsewhere).toBe(true);
      for (const [, title = "", target = ""] of links) {
        const [path = "", section] = target.split("#");
        const file = `${root}docs/reference/${path}`;
        expect(existsSync(file), target).toBe(true);
        if (section !== undefined) expect(sectionsOf(file), target).toContain(section);
        // A page is linked as it is; of a test or a proof the very title has to be found.
        if (!path.endsWith(".md")) expect(readFileSync(file, "utf8"), target).toContain(title);
      }
    },
  );

  test.each(vulnerabilities.map(([id = "", , shown = ""]) => [id, shown]))(
    "%s has a test that is named for it, or is planned",
    (id, shown) => {
      if (shown.startsWith("*planned*")) return;
      const titles = [...shown.matchAll(/\[((?:[^[\]]|\[[^\]]*\])+)\]\(([^)]+)\)/gu)].map(([, title]) => title);
      for (const name of id.split(", ")) expect(titles.filter((title) => title?.includes(name))).not.toEqual([]);
    },
  );
});
