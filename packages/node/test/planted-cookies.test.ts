import { MemoryStorage } from "@pawl/storage";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { HOST, HOUR, siteOfTest } from "./site.js";

const SIBLING = "evil.example.com";
/** Names that a sibling host can set cookies of, for the whole domain. */
const UNGUARDED = ["", "__Secure-"];

describe("what a sibling host plants", () => {
  it("is never read beside the cookies of a host: neither with a session, nor after its access token, nor without", async () => {
    const { clock, pawl, jar, login, visit, thefts } = siteOfTest();
    const mallory = await pawl.tokens.create({ userId: "mallory" });
    const plant = (times: number) => {
      for (let at = 0; at < times; at++)
        for (const prefix of UNGUARDED)
          jar.receive(SIBLING, [
            `${prefix}pawl-access=${mallory.accessToken}; Domain=example.com; Path=/${at === 0 ? "" : at}; Secure`,
            `${prefix}pawl-refresh=${mallory.refreshToken}; Domain=example.com; Path=/${at === 0 ? "" : at}; Secure`,
          ]);
    };
    plant(1);
    for (const path of ["/me", "/page"]) expect([path, await visit(path)]).toEqual([path, null]);
    await login();
    // Nine of each name, so that more are there than are ever looked at.
    plant(9);
    for (const wait of [0, 2 * HOUR]) {
      clock.advance(wait);
      for (const path of ["/me", "/page"]) expect([path, wait, await visit(path)]).toEqual([path, wait, "alice"]);
    }
    expect(thefts).toEqual([]);
  });

  it("is cleared wherever it may be, with the next login", async () => {
    const { jar, login } = siteOfTest();
    for (const prefix of UNGUARDED)
      for (const domain of ["example.com", HOST])
        jar.receive(HOST, [
          `${prefix}pawl-access=x; Domain=${domain}; Path=/; Secure`,
          `${prefix}pawl-refresh=x; Domain=${domain}; Path=/; Secure`,
        ]);
    await login();
    expect(jar.places).toEqual([`__Host-pawl-access ${HOST} /`, `__Host-pawl-refresh ${HOST} /`]);
  });

  // With a domain the cookies are the domain's, and a sibling host may set them.
  const domain = { cookies: { domain: "example.com" } } as const;

  it("a superseded token of his own session beside the victim's ends that session, and not the victim's", async () => {
    const { clock, pawl, jar, login, visit, thefts } = siteOfTest(domain);
    const first = await pawl.tokens.create({ userId: "mallory" });
    clock.advance(HOUR);
    const second = await pawl.tokens.refresh(first.refreshToken);
    clock.advance(HOUR);
    await login();
    clock.advance(HOUR);
    // Sealed after the victim's, and superseded.
    const third = await pawl.tokens.refresh(second.refreshToken);
    clock.advance(HOUR);
    const fourth = await pawl.tokens.refresh(third.refreshToken);
    clock.advance(HOUR);
    await pawl.tokens.refresh(fourth.refreshToken);
    clock.advance(HOUR);
    jar.receive(SIBLING, [`__Secure-pawl-refresh=${third.refreshToken}; Domain=example.com; Path=/me; Secure`]);
    expect(await visit("/me")).toBe("alice");
    clock.advance(2 * HOUR);
    expect(await visit("/me")).toBe("alice");
    expect(await visit("/page")).toBe("alice");
    expect((await pawl.sessions.list("mallory")).items).toEqual([]);
    expect(thefts).toEqual([]);
  });

  test.each([1, 7, 9, 40])("as %i values that are no tokens never makes the application fail", async (count) => {
    const { clock, jar, login, visit } = siteOfTest(domain);
    await login();
    for (let at = 1; at <= count; at++)
      for (const kind of ["access", "refresh"])
        jar.receive(SIBLING, [
          `__Secure-pawl-${kind}=pawl_rt_1.${at}; Domain=example.com; Path=/${"a/".repeat(at)}; Secure`,
        ]);
    // More values of a name than are looked at hide the session, which no host can do to another under `__Host-` names.
    const seen = count < 8 ? "alice" : null;
    for (let round = 0; round < 3; round++) {
      clock.advance(2 * HOUR);
      expect(await visit(`/${"a/".repeat(40)}me`)).toBe(seen);
    }
    if (seen === null) await login();
    expect(await visit("/me")).toBe("alice");
  });
});

describe("cookies of other settings", () => {
  const namesIn = (jar: { places: readonly string[] }) => jar.places.map((place) => place.split(" ")[0]);
  const domain = { domain: "example.com" };
  const refreshPath = { refreshPath: "/session" };
  const changes = [
    ["a domain to none", domain, {}],
    ["no domain to one", {}, domain],
    ["one path to another for the refresh cookie", {}, refreshPath],
    ["nothing to nothing", {}, {}],
  ] as const;

  test.each(changes)("from %s: a login leaves none behind", async (_, before, after) => {
    const storage = new MemoryStorage();
    onTestFinished(() => storage.close());
    const { jar, ...old } = siteOfTest({ cookies: before, storage });
    await old.login();
    const { login, visit, clock } = siteOfTest({ cookies: after, storage, jar });
    await login("bob");
    const fresh = siteOfTest({ cookies: after });
    await fresh.login();
    expect(jar.places).toEqual(fresh.jar.places);
    clock.advance(2 * HOUR);
    expect(await visit("/page")).toBe("bob");
  });

  it("are read where `alsoRead` names them, until the session has its cookies under the names in force", async () => {
    const { clock, pawl, jar, visit } = siteOfTest({ cookies: { alsoRead: ["old-access", "old-refresh"] } });
    const { accessToken, refreshToken } = await pawl.tokens.create({ userId: "alice" });
    jar.receive(HOST, [`old-access=${accessToken}; Path=/`, `old-refresh=${refreshToken}; Path=/`]);
    expect(await visit("/me")).toBe("alice");
    clock.advance(2 * HOUR);
    expect(await visit("/me")).toBe("alice");
    expect(namesIn(jar)).toEqual(["__Host-pawl-access", "__Host-pawl-refresh"]);
  });

  it("an older access token is not taken beside a refresh cookie in force, whose session is another", async () => {
    const { pawl, jar, login, visit } = siteOfTest({ cookies: { alsoRead: ["pawl-access"] } });
    const mallory = await pawl.tokens.create({ userId: "mallory" });
    await login();
    jar.receive(HOST, ["__Host-pawl-access=; Path=/; Secure; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
    jar.receive(SIBLING, [`pawl-access=${mallory.accessToken}; Domain=example.com; Path=/`]);
    expect(await visit("/me")).toBe("alice");
  });
});
