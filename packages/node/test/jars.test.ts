import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CookieOptions } from "../src/index.js";
import { HOST, HOUR, type SiteOptions, startSite } from "./site.js";

const ALSO_READ = ["old-access", "old-refresh"];
const settings: readonly CookieOptions[] = [
  {},
  { domain: "example.com" },
  { refreshPath: "/session" },
  { alsoRead: ALSO_READ },
  { domain: "example.com", alsoRead: ALSO_READ },
];
const names = [
  ...["access", "refresh"].flatMap((kind) => ["__Host-", "__Secure-", ""].map((prefix) => `${prefix}pawl-${kind}`)),
  ...ALSO_READ,
];

/** What a cookie may hold: no token at all, the browser's own tokens of now or before, whole or cut off, or a stranger's. */
type Value = (tokens: { readonly own: readonly string[]; readonly foreign: readonly string[] }) => string;
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom("", "x", "a.b.c", "pawl_rt_1.AAAA", "%zz", '"').map((text) => () => text),
  fc.tuple(fc.nat(), fc.boolean()).map(([at, isCut]): Value => ({ own }) => {
    const token = own[at % Math.max(own.length, 1)] ?? "";
    return isCut ? token.slice(0, at % (token.length + 1)) : token;
  }),
  fc.nat().map(
    (at): Value =>
      ({ foreign }) =>
        foreign[at % foreign.length] ?? "",
  ),
);

const planted = fc
  .record({
    name: fc.constantFrom(...names),
    value,
    domain: fc.constantFrom("", "; Domain=app.example.com", "; Domain=example.com"),
    path: fc.constantFrom("/", "/orders", "/me", "/session", "/session/refresh"),
  })
  .map(({ name, value, domain, path }) => (tokens: Parameters<Value>[0]) => {
    const place = name.startsWith("__Host-") ? "; Path=/" : `${domain}; Path=${path}`;
    return `${name}=${value(tokens)}${place}; Secure`;
  });

const jars: readonly (readonly [string, fc.Arbitrary<(line: string) => boolean>])[] = [
  ["keeps everything", fc.constant(() => true)],
  ["keeps nothing", fc.constant(() => false)],
  ["lets nothing be cleared", fc.constant((line: string) => !line.includes("1970"))],
  ["keeps cookies of some names", fc.subarray(names).map((kept) => (line) => kept.includes(line.split("=")[0] ?? ""))],
  ["drops lines by chance", fc.infiniteStream(fc.boolean()).map((coins) => () => coins.next().value === true)],
];

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("/me", "/orders", "/orders?page=2").map((visit) => ({ visit })) },
  { weight: 1, arbitrary: fc.constantFrom(1000, 31_000, HOUR, 2 * HOUR).map((pass) => ({ pass })) },
  { weight: 2, arbitrary: planted.map((plant) => ({ plant })) },
  { weight: 1, arbitrary: fc.constantFrom("alice", "bob").map((login) => ({ login })) },
  { weight: 1, arbitrary: fc.constant({ signOut: true }) },
);
// Of a name that others may set too, more than eight values hide the session's own.
const steps = fc
  .array(step, { minLength: 4, maxLength: 20 })
  .filter((taken) => taken.filter((it) => "plant" in it).length <= 6);

type Step = typeof step extends fc.Arbitrary<infer Taken> ? Taken : never;

/** A site to which the steps were done; each visit ended, with a page. */
const after = async (options: SiteOptions, taken: readonly Step[]) => {
  const site = startSite(options);
  const { clock, pawl, jar, visit, login, send } = site;
  const mallory = await pawl.tokens.create({ userId: "mallory" });
  clock.advance(HOUR);
  const { refreshToken, accessToken } = await pawl.tokens.refresh(mallory.refreshToken);
  const foreign = [mallory.accessToken, mallory.refreshToken, accessToken, refreshToken];
  const own: string[] = [];
  // Where the refresh cookie has a path of its own, a page's script has to refresh.
  const answers = [null, "alice", "bob", "mallory", ...(options.cookies?.refreshPath === undefined ? [] : [401])];
  for (const it of taken) {
    if ("visit" in it) expect(answers).toContain(await visit(it.visit));
    else if ("pass" in it) clock.advance(it.pass);
    else if ("plant" in it) jar.receive(HOST, [it.plant({ own, foreign })]);
    else if ("login" in it) expect((await login(it.login)).status).toBe(200);
    else expect([200, 401]).toContain((await send("/signout", { method: "POST" })).status);
    own.push(...names.flatMap((name) => jar.value(name) ?? []));
  }
  return site;
};

describe("whatever cookies a browser shows, no page fails and none is sent round in circles", () => {
  test.each(jars)(
    "in a jar that %s",
    async (_, keeping) => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...settings), keeping, steps, async (cookies, keeps, taken) => {
          await (await after({ cookies, keeps }, taken)).close();
        }),
        { numRuns: 50 },
      );
    },
    120_000,
  );
});

test("whatever cookies a browser shows, who logs in stays logged in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...settings), steps, async (cookies, taken) => {
      const { clock, login, visit, thefts, close } = await after({ cookies }, taken);
      clock.advance(1000);
      await login("carol");
      for (const wait of [0, 2 * HOUR, 2 * HOUR, 48 * HOUR]) {
        clock.advance(wait);
        if (cookies.refreshPath === undefined) expect(await visit("/me")).toBe("carol");
        expect(await visit("/orders")).toBe("carol");
        expect(await visit("/me")).toBe("carol");
      }
      expect(thefts).not.toContain("carol");
      await close();
    }),
    { numRuns: 100 },
  );
}, 120_000);
