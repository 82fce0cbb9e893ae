import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launchChromium } from "@pawl/test-servers/chromium";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root, textOf, typeCurlLines } from "./guide-page.js";
import { browserAt, serving } from "./guide-program.js";

/** Where both the packages and those of the pages' programs are found. */
const place = join(root, "e2e/artifacts");
let folder = "";
beforeEach(() => {
  mkdirSync(place, { recursive: true });
  folder = mkdtempSync(join(place, "guide-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file as a page prints it. */
const print = (page: string, fence: string): string => {
  const file = join(folder, fence.split(" ")[1] ?? "");
  writeFileSync(file, textOf(page, fence));
  return file;
};

test.each([
  ["roles.md", "roles.mjs"],
  ["acting-for-a-user.md", "support.mjs"],
  ["step-up.md", "step-up.mjs"],
])("what %s says to type prints what it says", (page, program) =>
  serving(print(page, `js ${program}`), (origin) => {
    const { printed, told } = typeCurlLines(page, "sh", { folder, origin });
    expect(printed).toEqual(told);
  }),
);

test("step-up.md: a code opens for five minutes what asks for one, wrong ones do not, and the challenge is as printed", async () => {
  let said = "";
  const file = print("step-up.md", "js step-up.mjs");
  await serving(
    file,
    async (origin) => {
      const { call } = browserAt(origin);
      await call("POST", "/login");
      const refused = await call("DELETE", "/account");
      expect(refused).toMatchObject({ status: 401, body: { code: "STEP_UP" } });
      const challenge = `WWW-Authenticate: ${refused.headers.get("www-authenticate")}\n`;
      expect(challenge).toBe(textOf("step-up.md", "text"));
      expect((await call("POST", "/code/000000")).status).toBe(410);
      await call("POST", "/code");
      await expect.poll(() => /to alice: (\d{6})/.exec(said)).toBeTruthy();
      const [, code = ""] = /to alice: (\d{6})/.exec(said) ?? [];
      const wrong = code === "000000" ? "111111" : "000000";
      for (let tries = 0; tries < 4; tries += 1) expect((await call("POST", `/code/${wrong}`)).status).toBe(403);
      expect((await call("POST", `/code/${code}`)).status).toBe(200);
      expect((await call("DELETE", "/account")).body).toEqual({ deleted: "alice" });
      expect((await call("POST", `/code/${code}`)).status).toBe(410);
    },
    { onOutput: (text) => (said += text) },
  );
});

test("step-up.md: a page is asked for the passkey, and its request is answered", async () => {
  print("step-up.md", "html page.html");
  const browser = await launchChromium();
  try {
    await serving(print("step-up.md", "js passkey.mjs"), async (origin) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const devices = await context.newCDPSession(page);
      await devices.send("WebAuthn.enable");
      const options = {
        protocol: "ctap2",
        transport: "internal",
        hasUserVerification: true,
        isUserVerified: true,
      } as const;
      await devices.send("WebAuthn.addVirtualAuthenticator", {
        options: { ...options, hasResidentKey: true, automaticPresenceSimulation: true },
      });
      const asked: string[] = [];
      page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
      await page.goto(origin);
      const click = async (name: string, says: string | RegExp) => {
        await page.getByRole("button", { name }).click();
        await page.locator("output", { hasText: says }).waitFor();
      };
      await click("Log in", "logged in");
      await click("Make a passkey", "registered");
      asked.length = 0;
      await click("Delete my account", '{"deleted":"alice"}');
      const inside = ["POST /step-up/options", "POST /step-up"];
      expect(asked).toEqual(["DELETE /account", ...inside, "DELETE /account"]);
      asked.length = 0;
      await page.locator("output").evaluate((output) => (output.textContent = ""));
      await click("Delete my account", '{"deleted":"alice"}');
      expect(asked).toEqual(["DELETE /account"]);
    });
  } finally {
    await browser.close();
  }
});
