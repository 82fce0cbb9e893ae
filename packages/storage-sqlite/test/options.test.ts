import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseUrl } from "../src/options.js";

describe("an SQLite URL", () => {
  it.each([
    ["sqlite:./pawl.db", { path: resolve("pawl.db"), lockTimeout: 5000 }],
    ["sqlite:pawl.db", { path: resolve("pawl.db"), lockTimeout: 5000 }],
    ["sqlite:../up/pawl.db", { path: resolve("../up/pawl.db"), lockTimeout: 5000 }],
    ["sqlite:/var/lib/pawl.db", { path: "/var/lib/pawl.db", lockTimeout: 5000 }],
    ["sqlite:///var/lib/pawl.db", { path: "/var/lib/pawl.db", lockTimeout: 5000 }],
    ["sqlite:/a b/ü%20#.db", { path: "/a b/ü%20#.db", lockTimeout: 5000 }],
    ["sqlite:file:other.db", { path: resolve("file:other.db"), lockTimeout: 5000 }],
    ["sqlite::memory:", { path: ":memory:", lockTimeout: 5000 }],
    ["sqlite:/p.db?driver=libsql", { path: "/p.db", driver: "libsql", lockTimeout: 5000 }],
    ["sqlite:/p.db?lock_timeout=0&driver=node", { path: "/p.db", driver: "node", lockTimeout: 0 }],
    ["sqlite:/p.db?", { path: "/p.db", lockTimeout: 5000 }],
  ])("%s is read", (url, options) => {
    expect(parseUrl(url)).toEqual(options);
  });

  it.each([
    ["sqlite:", "sqlite:./relative.db"],
    ["sqlite:?driver=node", "sqlite:./relative.db"],
    ["sqlite://host/pawl.db", "sqlite:./relative.db"],
    ["sqlite:/a\0b", "sqlite:./relative.db"],
    ["SQLITE:/p.db", "sqlite:./relative.db"],
    ["sqlite:/p.db?drvier=node", '"drvier"; accepted are driver, lock_timeout'],
    ["sqlite:/p.db?mode=ro", '"mode"; accepted are'],
    ["sqlite:/p.db?driver=better-sqlite3", "driver is one of node, libsql"],
    ["sqlite:/p.db?driver=", "one of node, libsql"],
    ["sqlite:/p.db?lock_timeout=5s", "lock_timeout is a whole number from 0 to 60000"],
    ["sqlite:/p.db?lock_timeout=60001", "a whole number"],
    ["sqlite:/p.db?lock_timeout=-1", "a whole number"],
    ["sqlite:/p.db?driver=node&driver=node", "given twice"],
  ])("%j is refused, with what is accepted", (url, message) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: "invalid_url", message: expect.stringContaining(message) as string }),
    );
  });
});
