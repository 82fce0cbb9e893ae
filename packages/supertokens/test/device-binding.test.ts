import { expect, onTestFinished, test } from "vitest";
import { Browser } from "./browser.js";
import { modes } from "./modes.js";
import { startWebApp } from "./web-app.js";

test("sessions of the documented API are not bound by a core that prefers it, and refresh as ever", async () => {
  const [, core] = modes;
  const { pawl, clock, close } = await core!.start({ deviceBinding: "prefer" });
  onTestFinished(close);
  const app = await startWebApp(pawl);
  onTestFinished(app.close);
  // With all that a browser could say of keys.
  const headers = {
    "sec-secure-session-id": '"x"',
    "secure-session-response": '"a.b.c"',
    "secure-session-skipped": 'server_error;session_identifier="x"',
  };
  const browser = new Browser(app);
  const login = await browser.send("/login", { method: "POST", body: { userId: "u1" }, headers });
  expect([login.status, login.headers["secure-session-registration"]]).toEqual([200, undefined]);
  for (let round = 0; round < 3; round++) {
    expect((await browser.send("/me", { headers })).body).toMatchObject({ userId: "u1" });
    clock.advance("2h");
    const { handle } = (await browser.send("/session/refresh", { method: "POST", headers })).body;
    expect(handle).toBe(login.body.handle);
  }
});
