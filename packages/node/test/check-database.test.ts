import { describe, expect, it } from "vitest";
import { backends, benchOf } from "./backends.js";
import { TestBrowser } from "./browser.js";

const HOUR = 3_600_000;

interface Role {
  readonly role: string;
}

describe.each(backends)("an access token that the database finds outdated, %s", (_, openBackend) => {
  /** A browser with the token of before a change that no verifier is told of, and the cookies of after it. */
  const start = async () => {
    let role = "user";
    const options = { loadPayload: (): Role => ({ role }) };
    const bench = await benchOf<Role>(openBackend, options, { checkDatabase: true });
    const { pawl, browser, clock } = bench;
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" } as never));
    clock.advance(HOUR / 2);
    const [access = [], refresh = []] = browser.copy().cookies();
    role = "admin";
    await browser.visit((exchange) => pawl.refreshSession(exchange));
    const showing = (...cookies: readonly (readonly string[])[]) => {
      const other = new TestBrowser();
      for (const [name, value] of cookies) other.jar.receive("app.example.com", [`${name}=${value}; Path=/; Secure`]);
      return other.visit((exchange) => pawl.requireSession(exchange));
    };
    return { ...bench, access, refresh, showing };
  };

  it("is refreshed in place", async () => {
    const { access, refresh, showing } = await start();
    const { result, lines } = await showing(access, refresh);
    expect([result?.payload, lines]).toEqual([{ role: "admin" }, 2]);
  });

  it("asks for a refresh where it came alone, and nothing is cleared: its session is live", async () => {
    const { access, showing } = await start();
    const { error, lines } = await showing(access);
    expect([error?.code, lines]).toEqual(["TRY_REFRESH", 0]);
  });
});
