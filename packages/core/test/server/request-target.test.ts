import { expect, test } from "vitest";
import type { Access, Dialect, Found } from "../../src/server/dialect.js";
import { createRouter, isPercentEncoded, splitTarget, withoutHead } from "../../src/server/request-target.js";

test.each([
  ["/a", "/a", ""],
  ["/a?b=c", "/a", "b=c"],
  ["/a?", "/a", ""],
  ["/?a?b", "/", "a?b"],
  ["?a", "", "a"],
  ["http://host:1/a?b", "/a", "b"],
  ["HTTPS://host/a", "/a", ""],
  ["http://host?b", "", "b"],
  ["http://host", "", ""],
  ["ftp://host/a", "ftp://host/a", ""],
  ["/to?url=http://host/a", "/to", "url=http://host/a"],
  ["/http://host/a", "/http://host/a", ""],
  ["xhttp://host/a", "xhttp://host/a", ""],
  ["*", "*", ""],
])("%s is the path %j and the query %j", (url, path, query) => expect(splitTarget(url)).toEqual({ path, query }));

test.each([
  ["/plain?a=b", true],
  ["/%C3%A9?a=%26", true],
  ["/%zz", false],
  ["/?a=%ff", false],
  ["/%", false],
])("%s is percent-encoded UTF-8: %s", (url, is) => expect(isPercentEncoded(url)).toBe(is));

test("a HEAD is a GET", () => expect(["HEAD", "GET", "POST"].map(withoutHead)).toEqual(["GET", "GET", "POST"]));

test("dialects are asked in order; an unknown path is refused by the one that owns it, or else the first", () => {
  const operation = (access: Access) => ({
    operation: { name: "x", access, handle: () => ({ status: 204, body: "" }) },
  });
  const dialect = (found: Readonly<Record<string, Found>>, owned?: string): Dialect => ({
    find: (_, path) => found[path],
    owns: (path) => path === owned,
    refuse: () => ({ status: 400, body: "" }),
  });
  const first = dialect({ "/a": operation("open") });
  const second = dialect(
    { "/a": operation("full"), "/b": operation("verifier"), "/c": { allow: ["PUT"], access: "open" } },
    "/own",
  );
  const route = createRouter([first, second]);
  expect(route("GET", "/a")).toMatchObject({ dialect: first, access: "open" });
  expect(route("GET", "/b")).toMatchObject({ dialect: second, operation: { name: "x" }, access: "verifier" });
  expect(route("GET", "/c")).toEqual({ dialect: second, allow: ["PUT"], access: "open" });
  expect(route("GET", "/own")).toEqual({ dialect: second, access: "full" });
  expect(route("GET", "/none")).toEqual({ dialect: first, access: "full" });
});
