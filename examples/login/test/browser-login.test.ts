import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, type RunningLogin, runLogin } from "./running-login.js";
import { OtherBrowser, PASSWORD, Visitor } from "./visitor.js";

const MINUTE = 60_000;

describe.skipIf(!isInstalled)("the login in Chromium", { timeout: 120_000 }, () => {
  let browser: Browser;
  let login: RunningLogin;
  beforeAll(async () => {
    [browser, login] = await Promise.all([launchChromium(), runLogin()]);
  });
  afterAll(async () => {
    await browser?.close();
    await login?.dispose();
  });
  const visit = async (options?: { readonly width?: number; readonly dark?: boolean }): Promise<Visitor> => {
    const visitor = await Visitor.open(browser, login.origin, options);
    onTestFinished(() => visitor.close());
    return visitor;
  };

  const other = async (): Promise<OtherBrowser> => {
    const opened = await OtherBrowser.open(login.origin);
    onTestFinished(() => opened.requests.dispose());
    return opened;
  };

  test.each([
    { width: 400, dark: false },
    { width: 1280, dark: true },
  ])("every page is for everybody, at %o", async (options) => {
    const visitor = await visit(options);
    await visitor.register(`ada-${options.width}`);
    await visitor.addAuthenticator();
    await visitor.addPasskey();
    for (const path of ["/account", "/passkeys/new", "/account/password", "/account/delete", "/vault", "/confirm"]) {
      await visitor.page.goto(path);
      await visitor.checkPage();
    }
    await visitor.page.goto("/account");
    await visitor.click("Log out");
    for (const path of ["/", "/register", "/?reason=revoked"]) {
      await visitor.page.goto(path);
      await visitor.checkPage();
    }
  });

  test("a password makes an account and logs in; a wrong one does not, nor does one for a name that nobody has", async () => {
    const visitor = await visit();
    await visitor.page.goto("/register");
    const makeAccount = async () => {
      await visitor.page.getByLabel("Name").fill("bob");
      await visitor.page.getByLabel("New password").fill(PASSWORD);
      await visitor.click("Make it");
    };
    await makeAccount();
    await visitor.sees("Hello bob");
    expect(await visitor.claims()).toMatchObject({ amr: ["pwd"], role: "user" });
    await visitor.click("Log out");
    await visitor.sees("Log in");
    expect(await visitor.cookies()).toEqual([]);

    await visitor.tryPassword("bob", "wrong");
    const wrong = await visitor.problem();
    expect(wrong).toMatch(/wrong/);
    await visitor.tryPassword("nobody", PASSWORD);
    expect(await visitor.problem()).toBe(wrong);
    expect(await visitor.cookies()).toEqual([]);
    await visitor.page.goto("/register");
    await makeAccount();
    expect(await visitor.problem()).toBe("Somebody has that name.");
    await visitor.tryPassword("bob", PASSWORD);
    await visitor.sees("Hello bob");
  });

  test("after five wrong passwords the right one has to wait, for that name alone", async () => {
    const visitor = await visit();
    await visitor.register("carol");
    await visitor.click("Log out");
    for (let tries = 0; tries < 5; tries += 1) {
      await visitor.tryPassword("carol", `wrong ${tries}`);
      expect(await visitor.problem()).toMatch(/wrong/);
    }
    const answered = visitor.page.waitForResponse((response) => response.request().method() === "POST");
    await visitor.tryPassword("carol", PASSWORD);
    const answer = await answered;
    expect(answer.status()).toBe(429);
    expect(Number(answer.headers()["retry-after"])).toBeGreaterThan(60);
    expect(await visitor.problem()).toMatch(/^Too many tries/);
    expect(await visitor.cookies()).toEqual([]);
    await visitor.register("carol-2");
  });

  test("what matters asks for the password again, once, in the same session", async () => {
    const visitor = await visit();
    await visitor.register("dave");
    const { sid, auth_time } = await visitor.claims();
    await visitor.follow("Change the password");
    await visitor.sees("Another password");
    await login.advance(6 * MINUTE);
    await visitor.page.goto("/account");
    await visitor.follow("Delete the account");
    await visitor.confirm("wrong");
    expect(await visitor.problem()).toBe("The password is wrong.");
    await visitor.confirm();
    await visitor.sees("Delete your account");
    const after = await visitor.claims();
    expect(after["sid"]).toBe(sid);
    expect(Number(after["auth_time"])).toBeGreaterThanOrEqual(Number(auth_time) + 360);
    await visitor.click("Delete it");
    await visitor.sees("Log in");
    await visitor.tryPassword("dave", PASSWORD);
    expect(await visitor.problem()).toMatch(/wrong/);
  });

  test("another password logs out the other devices", async () => {
    const [here, there] = [await visit(), await other()];
    await there.register("erin");
    await here.logIn("erin");
    await here.follow("Change the password");
    await here.page.getByLabel("New password").fill("another four words of it");
    await here.click("Change it");
    await here.sees("Hello erin");
    expect(await there.titleAt("/account")).toBe("Log in");
    const form = { name: "erin", password: PASSWORD };
    expect((await there.requests.post("/login", { form })).status()).toBe(401);
  });

  test("the list of devices ends one, and all others, and says there why", async () => {
    const [here, there, third] = [await visit(), await other(), await other()];
    await there.register("frank");
    await third.logIn("frank");
    await here.logIn("frank");
    const devices = await here.items("Where you are logged in");
    expect([devices.length, devices.filter((text) => text.includes("this one")).length]).toEqual([3, 1]);
    for (const text of devices) expect(text).toMatch(/^(Chrome on Linux this one|Firefox on Linux)\s[^]*by password/);

    await here.page.getByRole("listitem").getByRole("button", { name: "Log out" }).first().click();
    await expect.poll(async () => (await here.items("Where you are logged in")).length).toBe(2);
    await here.checkPage();
    await here.click("Log out everywhere else");
    await expect.poll(async () => (await here.items("Where you are logged in")).length).toBe(1);
    for (const browser of [there, third])
      expect(await browser.textAt("/account")).toMatch(/Log in[^]*(from another device|on another page or device)/);
  });

  test("a handle of somebody else's session ends nothing", async () => {
    const [mallory, grace] = [await other(), await visit()];
    await grace.register("grace");
    await mallory.register("mallory");
    const { sid } = await grace.claims();
    const answer = await mallory.requests.post("/sessions/end", { form: { handle: String(sid) } });
    expect(answer.ok()).toBe(true);
    await grace.page.goto("/account");
    await grace.sees("Hello grace");
  });

  test("support acts for a user, everybody sees it, and what is the user's alone stays so", async () => {
    const [sue, heidi] = [await visit(), await other()];
    await heidi.register("heidi");
    await sue.register("sue");
    const act = () => sue.page.request.post("/support/act", { form: { name: "heidi", reason: "ticket 4711" } });
    expect((await act()).status()).toBe(403);
    expect(login.makeSupport("nobody-here")).toBe("There is no user nobody-here.\n");
    expect(login.makeSupport("sue")).toBe("sue is support staff now.\n");
    await sue.click("Log out");
    await sue.logIn("sue");

    const support = sue.page.getByRole("region", { name: "Support" });
    await support.getByLabel("Name").fill("heidi");
    await support.getByLabel("Why").fill("ticket <4711>");
    await sue.click("Act for this user");
    await sue.sees("Hello heidi");
    expect(await sue.page.getByLabel("Acting for a user").textContent()).toMatch(/sue acts for\s+heidi/);
    expect(await sue.claims()).toMatchObject({ role: "user" });
    await sue.checkPage();
    expect(await sue.page.getByText("Where you are logged in").count()).toBe(0);
    for (const path of ["/account/password", "/account/delete", "/confirm"]) {
      expect((await sue.page.goto(path))?.status()).toBe(403);
      await sue.sees("Not allowed");
    }

    expect(await heidi.textAt("/account")).toMatch(
      /Support has acted for you[^]*<li>sue, .* UTC<\/time>: ticket &#60;4711&#62;<\/li>/,
    );
    await sue.page.goto("/account");
    await sue.click("Stop");
    await sue.sees("Hello sue");
    expect(await sue.page.getByLabel("Acting for a user").count()).toBe(0);
  });

  test("another site cannot log a visitor in, whether or not it knows a password", async () => {
    const [mallory, victim] = [await other(), await visit()];
    await mallory.register("mallory-2");
    const fields = `<input name="name" value="mallory-2"><input name="password" value="${PASSWORD}">`;
    const form = `<form method="post" action="${login.origin}/login">${fields}<button>Win</button></form>`;
    // Another site: 127.0.0.1 is not localhost.
    const site = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end(form));
    await once(site.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void site.close());
    await victim.page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    await victim.click("Win");
    await victim.sees("Not allowed");
    expect(await victim.cookies()).toEqual([]);
    await victim.page.goto("/account");
    await victim.sees("Log in");
  });

  test("a passkey is added, logs in without a name, and opens what nothing else does", async () => {
    const visitor = await visit();
    await visitor.register("ivan");
    await visitor.addAuthenticator();
    await visitor.follow("Open the vault");
    await visitor.sees("Is it still you?");
    expect(await visitor.page.getByLabel("Password").count()).toBe(0);
    await visitor.follow("add one");
    await visitor.click("Add a passkey");
    await visitor.sees("Hello ivan");
    expect(await visitor.page.getByLabel("Passkeys").getByRole("listitem").count()).toBe(1);
    await visitor.click("Log out");
    await visitor.sees("Log in");

    await visitor.click("Log in with a passkey");
    await visitor.sees("Hello ivan");
    const { sid, amr } = await visitor.claims();
    expect(amr).toEqual(["pop", "mfa"]);
    await visitor.follow("Open the vault");
    await visitor.sees("The vault");

    await login.advance(6 * MINUTE);
    await visitor.page.goto("/vault");
    await visitor.sees("Is it still you?");
    await visitor.click("Use a passkey");
    await visitor.sees("The vault");
    for (const path of ["/vault", "/account/delete"]) expect((await visitor.page.goto(path))?.url()).toContain(path);
    expect(await visitor.claims()).toMatchObject({ sid, amr });

    await visitor.page.goto("/account");
    await visitor.click("Remove");
    await expect.poll(() => visitor.page.getByLabel("Passkeys").getByRole("listitem").count()).toBe(0);
    await visitor.click("Log out");
    await visitor.click("Log in with a passkey");
    await expect.poll(() => visitor.problem()).toBe("That passkey is not known here.");
  });

  test("a password confirms much, but not what asks for a passkey", async () => {
    const visitor = await visit();
    await visitor.register("judy");
    await visitor.addAuthenticator();
    await visitor.addPasskey();
    await visitor.page.goto("/vault");
    await visitor.click("Use a passkey");
    await visitor.sees("The vault");
    await visitor.page.request.post("/confirm", { form: { password: PASSWORD }, maxRedirects: 0 });
    expect(await visitor.claims()).toMatchObject({ amr: ["pwd"] });
    expect((await visitor.page.goto("/account/delete"))?.url()).toContain("/account/delete");
    await visitor.page.goto("/vault");
    await visitor.sees("Is it still you?");
  });

  test("no passkey of another user confirms, no answer counts twice, nor in another browser", async () => {
    const [visitor, thief] = [await visit(), await other()];
    await visitor.addAuthenticator();
    await visitor.register("kim");
    await visitor.addPasskey();
    const theirs = (await visitor.sign("/passkeys/login")) as { readonly id: string };
    await visitor.register("leo");
    await visitor.addPasskey();

    const ofAnother = await visitor.sign("/passkeys/confirm", theirs.id);
    expect(await visitor.send("/passkeys/confirm", ofAnother)).toBe(403);
    const own = await visitor.sign("/passkeys/confirm");
    expect(own).not.toMatchObject({ id: theirs.id });
    expect(await visitor.send("/passkeys/confirm", own)).toBe(200);
    expect(await visitor.send("/passkeys/confirm", own)).toBe(403);

    // A wrong answer uses up what was asked as well: no counter of the device takes its place.
    const second = (await visitor.sign("/passkeys/confirm")) as { readonly id: string };
    expect(await visitor.send("/passkeys/confirm", { id: second.id })).toBe(403);
    expect(await visitor.send("/passkeys/confirm", second)).toBe(403);

    // Asked for a confirmation, it is no login; asked in one browser, it is none in another.
    const confirmation = await visitor.sign("/passkeys/confirm");
    expect(await visitor.send("/passkeys/login", confirmation)).toBe(403);
    const answer = await visitor.sign("/passkeys/login");
    await thief.requests.post("/passkeys/login/options");
    expect((await thief.requests.post("/passkeys/login", { data: answer })).status()).toBe(403);
    expect(await visitor.send("/passkeys/login", answer)).toBe(200);
    expect(await visitor.send("/passkeys/login", answer)).toBe(403);
  });

  describe("OpenID Connect", () => {
    const logIn = async (visitor: Visitor, name: string): Promise<void> => {
      await visitor.page.goto("/");
      await visitor.follow("Log in with OpenID Connect");
      await visitor.logInThere(name);
      await visitor.click("Continue");
      await visitor.sees(`Hello ${name}@${new URL(login.issuer).host}`);
    };

    test("a login there is one here, and a logout there ends that one", async () => {
      const [visitor, laptop] = [await visit(), await visit()];
      await logIn(visitor, "nina");
      await logIn(laptop, "nina");
      await visitor.page.reload();
      const devices = await visitor.items("Where you are logged in");
      expect(devices).toHaveLength(2);
      for (const text of devices) expect(text).toContain(login.issuer);

      await visitor.page.goto(`${login.issuer}/session/end`);
      await visitor.click("Yes, sign me out");
      await visitor.page.waitForLoadState();
      await visitor.page.goto("/account");
      await visitor.sees("Log in");
      expect(await visitor.problem()).toBe("You logged out where you had logged in.");
      await laptop.page.reload();
      expect(await laptop.items("Where you are logged in")).toHaveLength(1);
    });

    test("what matters asks there again, in the same session", async () => {
      const visitor = await visit();
      await logIn(visitor, "oscar");
      const { sid } = await visitor.claims();
      await login.advance(6 * MINUTE);
      await visitor.page.goto("/account/delete");
      await visitor.sees("Is it still you?");
      await visitor.checkPage();
      await visitor.follow("Confirm where you log in");
      await visitor.logInThere("oscar");
      await visitor.sees("Delete your account");
      expect((await visitor.claims())["sid"]).toBe(sid);
    });

    test("somebody else's answer of the provider logs nobody in", async () => {
      const [mallory, victim] = [await visit(), await other()];
      await mallory.page.goto("/openid/login");
      await mallory.logInThere("mallory");
      await mallory.forgetBegunLogin();
      // Without what it began, the browser does not use the answer up; and is, by the way, not logged in.
      const answer = mallory.page.waitForRequest("**/openid/callback?*");
      await mallory.click("Continue");
      const url = (await answer).url();
      await mallory.sees("Log in");
      expect((await victim.requests.get("/openid/login", { maxRedirects: 0 })).status()).toBe(303);
      expect(await victim.textAt(url)).toContain("did not come to its end");
      expect(await victim.titleAt("/account")).toBe("Log in");
    });
  });
});
