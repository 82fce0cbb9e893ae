import axe from "axe-core";
import { type APIRequestContext, type Browser, type BrowserContext, type Page, request } from "playwright-core";
import { expect } from "vitest";

export const PASSWORD = "correct horse battery staple";

/** Somebody with a browser of their own. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** What the browser complained of: scripts that failed, and what the policy of the page forbids. */
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      const isOurs = message.location().url.startsWith(origin);
      if (isOurs && message.type() === "error" && !message.text().includes("the server responded with a status of"))
        this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    origin: string,
    { width = 1280, dark = false }: { readonly width?: number; readonly dark?: boolean } = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      baseURL: origin,
      viewport: { width, height: 800 },
      colorScheme: dark ? "dark" : "light",
    });
    return new Visitor(context, await context.newPage(), origin);
  }

  async close(): Promise<void> {
    await this.#context.close();
    expect(this.complaints).toEqual([]);
  }

  click(name: string): Promise<void> {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  follow(name: string): Promise<void> {
    return this.page.getByRole("link", { name, exact: true }).click();
  }

  async forgetBegunLogin(): Promise<void> {
    await this.#context.clearCookies({ name: "openid" });
  }

  /** Waits for a page of this title. */
  sees(title: string): Promise<void> {
    return this.page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  }

  async problem(): Promise<string | null> {
    return this.page.getByRole("alert").textContent();
  }

  /** Makes an account and shows it, without the pages that do so. */
  async register(name: string): Promise<void> {
    await enter(this.#context.request, "/register", name);
    await this.page.goto("/account");
  }

  async tryPassword(name: string, password: string): Promise<void> {
    await this.page.goto("/");
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.click("Log in");
  }

  async logIn(name: string): Promise<void> {
    await enter(this.#context.request, "/login", name);
    await this.page.goto("/account");
  }

  /** Confirms with the password, on the page that asks for it. */
  async confirm(password: string = PASSWORD): Promise<void> {
    await this.sees("Is it still you?");
    await this.page.getByLabel("Password").fill(password);
    await this.click("Confirm");
  }

  /** Those of a list of the page, as text. */
  async items(section: string): Promise<readonly string[]> {
    return this.page.getByRole("region", { name: section }).getByRole("listitem").allInnerTexts();
  }

  /** Whether the session goes on, by the claims of its access token. */
  async claims(): Promise<Readonly<Record<string, unknown>>> {
    const cookies = await this.#context.cookies();
    const token = cookies.find(({ name }) => name === "pawl-access")?.value ?? "";
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString() || "{}") as Record<
      string,
      unknown
    >;
  }

  async cookies(): Promise<readonly string[]> {
    return (await this.#context.cookies()).map(({ name }) => name);
  }

  /** The page can be read by everybody, and nothing is beside the window. */
  async checkPage(): Promise<void> {
    const { violations } = (await this.page.evaluate(`${axe.source}; axe.run()`)) as axe.AxeResults;
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    expect(await this.page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  }

  /** Logs in at the OpenID provider, whose page is shown. */
  async logInThere(name: string): Promise<void> {
    await this.page.locator("input[name=login]").fill(name);
    await this.page.locator("input[name=password]").fill("any");
    await this.page.locator("button[type=submit]").click();
  }

  /** Gives the browser a device that keeps passkeys and has its owner touch it. */
  async addAuthenticator(): Promise<void> {
    const devices = await this.#context.newCDPSession(this.page);
    await devices.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true } as const;
    await devices.send("WebAuthn.addVirtualAuthenticator", {
      options: { ...options, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
  }

  async addPasskey(): Promise<void> {
    await this.page.goto("/passkeys/new");
    await this.click("Add a passkey");
    await this.page.waitForURL("/account");
  }

  /** What the device signs when asked by that path: with this passkey, whether or not it was asked for, if one is named. */
  sign(path: string, id?: string): Promise<object> {
    return this.page.evaluate(
      async ([asked, wanted]) => {
        const options = (await (await fetch(`${asked}/options`, { method: "POST" })).json()) as object;
        const allowed = wanted === undefined ? {} : { allowCredentials: [{ type: "public-key", id: wanted }] };
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options, ...allowed } as never);
        const signed = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
        return signed.toJSON() as object;
      },
      [path, id] as const,
    );
  }

  /** @returns the status of the answer. */
  async send(path: string, data: object): Promise<number> {
    const headers = { accept: "application/json" };
    return (await this.#context.request.post(path, { data, headers, maxRedirects: 0 })).status();
  }
}

const enter = async (requests: APIRequestContext, path: string, name: string): Promise<void> => {
  const answer = await requests.post(path, { form: { name, password: PASSWORD }, maxRedirects: 0 });
  expect([answer.status(), answer.headers()["location"]]).toEqual([303, "/account"]);
};

/** Another browser of somebody, as far as its requests go: one that shows no pages takes no time. */
export class OtherBrowser {
  readonly requests: APIRequestContext;

  private constructor(requests: APIRequestContext) {
    this.requests = requests;
  }

  static async open(baseURL: string): Promise<OtherBrowser> {
    const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    return new OtherBrowser(
      await request.newContext({ baseURL, userAgent, extraHTTPHeaders: { accept: "text/html" } }),
    );
  }

  register = (name: string): Promise<void> => enter(this.requests, "/register", name);
  logIn = (name: string): Promise<void> => enter(this.requests, "/login", name);

  /** The title of the page where that path leads. */
  async titleAt(path: string): Promise<string | undefined> {
    return /<h1>(.*)<\/h1>/.exec(await this.textAt(path))?.[1];
  }

  async textAt(path: string): Promise<string> {
    return (await this.requests.get(path)).text();
  }
}
