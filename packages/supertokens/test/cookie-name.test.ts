import { expect, test } from "vitest";
import { namesOf, prefixedName, guardedNamesOf } from "../src/cookie-name.js";

test.each([
  [{ path: "/", secure: true }, "__Host-n"],
  [{ path: "/api", secure: true }, "__Secure-n"],
  [{ path: "/", secure: true, domain: "example.com" }, "__Secure-n"],
  [{ path: "/api", secure: true, domain: "example.com" }, "__Secure-n"],
  [{ path: "/", secure: false }, "n"],
  [{ path: "/", secure: false, domain: "example.com" }, "n"],
])("the strongest prefix for %j: %s", (place, name) => expect(prefixedName("n", place)).toBe(name));

test("a session's cookie is known under every prefix, another by its own name alone", () => {
  for (const name of ["sAccessToken", "sRefreshToken", "sIdRefreshToken"])
    expect(namesOf(name)).toEqual([`__Host-${name}`, `__Secure-${name}`, name]);
  expect(namesOf("theirs")).toEqual(["theirs"]);
});

test.each([
  ["__Host-sAccessToken", ["__Host-sAccessToken"]],
  ["__Secure-sAccessToken", ["__Host-sAccessToken", "__Secure-sAccessToken"]],
  ["sAccessToken", ["__Host-sAccessToken", "__Secure-sAccessToken", "sAccessToken"]],
])("as well guarded as %s are %j", (name, guarded) => {
  expect(guardedNamesOf("sAccessToken", name)).toEqual(guarded);
});
