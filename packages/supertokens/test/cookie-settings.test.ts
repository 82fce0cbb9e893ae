import { once } from "node:events";
import { millis } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { cookieSettings } from "../src/cookie-settings.js";
import { checkCookieOptions, type CookieOptions } from "../src/options.js";

const backend = {
  cookieSecure: true,
  accessTokenPath: "/",
  refreshTokenPath: "/session/refresh",
  accessTokenValidity: millis(3_600_000),
  reuseWindow: millis(30_000),
  activityInterval: millis(60_000),
};

describe("options", () => {
  test.each<CookieOptions>([
    {},
    { domain: "example.com", olderDomain: "a" },
    { domain: ".example.com", olderDomain: "" },
    { domain: "a-b.c3.example" },
    { accessTokenPath: "/", refreshTokenPath: "/a b:<~" },
    { sameSite: "strict" },
    { sameSite: "lax" },
    { sameSite: "none" },
    { names: "documented" },
    { names: "prefixed" },
    { names: "prefixed", alsoRead: ["sRefreshToken", "__Secure-sRefreshToken"] },
  ])("%j are taken", (options) => expect(() => checkCookieOptions(options)).not.toThrow());

  test.each<[keyof CookieOptions, string]>([
    ["domain", ""],
    ["domain", "a;b"],
    ["domain", "..example.com"],
    ["domain", "-a"],
    ["domain", "a-"],
    ["domain", "a."],
    ["domain", "a b"],
    ["domain", "example.com\n"],
    ["olderDomain", "."],
    ["olderDomain", "a;b"],
    ["accessTokenPath", ""],
    ["accessTokenPath", "a"],
    ["accessTokenPath", "a/"],
    ["accessTokenPath", "/a;b"],
    ["refreshTokenPath", "/a\n"],
    ["refreshTokenPath", "/\x7f"],
    ["refreshTokenPath", "/é"],
    ["sameSite", "Strict"],
    ["sameSite", ""],
    ["names", "other"],
    ["alsoRead", "sRefreshToken"],
  ])("%s %j is refused, and the error names both", (name, value) => {
    const message = expect.stringContaining(JSON.stringify(value)) as string;
    const error = expect.objectContaining({ code: "GENERAL_ERROR", message });
    expect(() => checkCookieOptions({ [name]: value })).toThrow(error);
    expect(() => checkCookieOptions({ [name]: value })).toThrow(new RegExp(`^cookies\\.${name} must `));
  });
});

test("cookies.alsoRead takes names of a session's cookies only", () => {
  for (const name of ["", "sSomething", "__Host-"])
    expect(() => checkCookieOptions({ alsoRead: [name] })).toThrow(/^cookies\.alsoRead must be a list of names/);
});

describe("what is in force", () => {
  test("is the backend's where the application says nothing", () => {
    expect(cookieSettings({}, { ...backend, cookieDomain: "example.com" })).toEqual({
      domain: "example.com",
      secure: true,
      sameSite: "none",
      accessTokenPath: "/",
      refreshTokenPath: "/session/refresh",
      cookies: Object.fromEntries(
        [
          ["sAccessToken", "/"],
          ["sRefreshToken", "/session/refresh"],
          ["sIdRefreshToken", "/"],
        ].map(([name, path]) => [
          name,
          { name, attributes: { domain: "example.com", path, secure: true, sameSite: "none" } },
        ]),
      ),
    });
    expect(cookieSettings({}, backend).domain).toBeUndefined();
    expect(cookieSettings({}, backend).cookies["sAccessToken"]?.attributes.domain).toBeUndefined();
    expect(cookieSettings({}, backend).olderDomain).toBeUndefined();
  });

  test("is what the application says where it says something", () => {
    const options: CookieOptions = {
      domain: "app.example.com",
      olderDomain: "",
      secure: false,
      sameSite: "strict",
      accessTokenPath: "/api",
      refreshTokenPath: "/api/refresh",
    };
    const { cookies, ...settings } = cookieSettings(options, { ...backend, cookieDomain: "example.com" });
    expect(settings).toEqual(options);
    expect(cookies["sRefreshToken"]).toEqual({
      name: "sRefreshToken",
      attributes: { domain: "app.example.com", path: "/api/refresh", secure: false, sameSite: "strict" },
    });
  });

  test("has names with a prefix where they are wanted", () => {
    const { cookies } = cookieSettings({ names: "prefixed" }, backend);
    expect(Object.values(cookies).map(({ name }) => name)).toEqual([
      "__Host-sAccessToken",
      "__Secure-sRefreshToken",
      "__Host-sIdRefreshToken",
    ]);
  });

  test("of a backend whose own settings cannot stand in a cookie is nothing", () => {
    expect(() => cookieSettings({}, { ...backend, cookieDomain: "a;b" })).toThrow(/^cookies\.domain must /);
  });

  test("has SameSite=Lax instead of None without Secure, with a warning, and no other change", async () => {
    const warned = once(process, "warning");
    const { sameSite, cookies } = cookieSettings({ secure: false }, backend);
    expect([sameSite, cookies["sAccessToken"]?.attributes.sameSite]).toEqual(["lax", "lax"]);
    expect(await warned).toMatchObject([{ name: "PawlWarning", code: "PAWL_SAMESITE_NONE_WITHOUT_SECURE" }]);

    const warnings: Error[] = [];
    const count = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", count);
    expect(cookieSettings({ secure: true }, backend).sameSite).toBe("none");
    expect(cookieSettings({ secure: false, sameSite: "strict" }, backend).sameSite).toBe("strict");
    // Warnings come in order: once this one is here, there was none before it.
    const last = once(process, "warning");
    process.emitWarning("the last", "TestWarning");
    await last;
    process.off("warning", count);
    expect(warnings.map(({ name }) => name)).toEqual(["TestWarning"]);
  });
});
