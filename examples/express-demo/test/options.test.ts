import { describe, expect, it } from "vitest";
import { help, readOptions, UsageError } from "../src/options.js";

describe("options of the demo", () => {
  it("has defaults", () => {
    const usual = { mode: "core", data: ".pawl-demo", https: false, accessLifetime: 15, reuseWindow: 2 };
    expect(readOptions([], {})).toEqual(usual);
    expect(readOptions(["--https"], {})).toEqual({ ...usual, https: true, accessLifetime: 300 });
  });

  it("takes flags before environment variables", () => {
    const env = { DEMO_PORT: "4000", DEMO_CORE_PORT: "4001", DEMO_DATA: "/data", DEMO_REUSE_WINDOW: "" };
    expect(readOptions(["--embedded", "--port", "0", "--access-lifetime=3"], env)).toEqual({
      mode: "embedded",
      port: 0,
      corePort: 4001,
      data: "/data",
      https: false,
      accessLifetime: 3,
      reuseWindow: 2,
    });
  });

  it.each([
    [["--port", "http"], {}, '--port must be a whole number from 0 to 65535, not "http"'],
    [["--port", "65536"], {}, '--port must be a whole number from 0 to 65535, not "65536"'],
    [["--access-lifetime", "0"], {}, '--access-lifetime must be a whole number from 1 to 600, not "0"'],
    [["--https", "--access-lifetime", "60"], {}, '--access-lifetime must be a whole number from 300 to 600, not "60"'],
    [["--reuse-window", "1.5"], {}, '--reuse-window must be a whole number from 0 to 300, not "1.5"'],
    [[], { DEMO_CORE_PORT: "x" }, 'DEMO_CORE_PORT must be a whole number from 0 to 65535, not "x"'],
    [["--embeded"], {}, "Unknown option '--embeded'. See --help"],
  ])("refuses %j %j in one line", (args, env, message) => {
    expect(() => readOptions(args, env)).toThrow(new UsageError(message));
  });

  it("explains every option", () => {
    expect(readOptions(["--help"], {})).toBe("help");
    for (const flag of ["embedded", "https", "port", "core-port", "data", "access-lifetime", "reuse-window"])
      expect(help).toContain(`--${flag}`);
  });
});
