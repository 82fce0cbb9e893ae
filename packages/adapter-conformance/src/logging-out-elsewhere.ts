import { expect, it, onTestFinished } from "vitest";
import type { OwnAnswers } from "./application.js";
import { sessionCookies, type Start } from "./kit.js";
import { TestClock } from "./test-clock.js";
import { TestIdentityProvider } from "./test-identity-provider.js";
import { ask, type Received } from "./visitor.js";

const PATH = "/session/backchannel-logout";

const TYPE = "application/x-www-form-urlencoded";

export const testLoggingOutElsewhere = (start: Start, { refusesForms }: OwnAnswers): void => {
  /** The kit's application, with an identity provider that it knows and a user who came from there. */
  const startWithProvider = async () => {
    const clock = new TestClock();
    const provider = await TestIdentityProvider.open(clock);
    onTestFinished(() => provider.close());
    const started = await start({ rules: { identityProviders: [provider.settings] } });
    const { pawl, origin } = started;
    const { issuer } = provider;
    await pawl.tokens.create({
      userId: "alice",
      payload: { role: "user" },
      identityProvider: { issuer, subject: "sub-1", sessionId: "sid-1" },
    });
    const live = async () => (await pawl.sessions.list("alice")).items.length;
    const post = (body: string, type = TYPE): Promise<Received> =>
      ask(`${origin}${PATH}`, { method: "POST", body, headers: { "content-type": type } });
    const form = (token: string) => new URLSearchParams({ logout_token: token }).toString();
    return { ...started, provider, live, post, form };
  };

  if (refusesForms !== undefined) {
    it(`cannot be told by an identity provider: ${refusesForms}`, async () => {
      const { provider, live, post, form } = await startWithProvider();
      expect((await post(form(provider.logoutToken({ sid: "sid-1" })))).status).toBe(403);
      expect(await live()).toBe(1);
    });
    return;
  }

  it("ends the sessions of a login when its identity provider says so, and takes it once", async () => {
    const { provider, live, post, form } = await startWithProvider();
    const unknown = await post(form(provider.logoutToken({ sid: "sid-2" })));
    expect([unknown.status, unknown.json, await live()]).toEqual([200, { ended: 0 }, 1]);
    const body = form(provider.logoutToken({ sub: "sub-1", sid: "sid-1" }));
    const answer = await post(body, `${TYPE}; charset=UTF-8`);
    expect([answer.status, answer.json, await live()]).toEqual([200, { ended: 1 }, 0]);
    expect([answer.headers["cache-control"], sessionCookies(answer)]).toEqual(["no-store", []]);
    const again = await post(body);
    const description = "logout token refused: it was received before";
    expect([again.status, again.json]).toEqual([400, { error: "invalid_request", error_description: description }]);
    expect(again.headers["cache-control"]).toBe("no-store");
  });

  it("refuses what is no logout token of that provider in a form, however long it is", async () => {
    const { provider, live, post, form } = await startWithProvider();
    const token = provider.logoutToken({ sid: "sid-1" });
    const refused: readonly (readonly [string, string?])[] = [
      [""],
      ["logout_token="],
      [form("token")],
      [`${form(token)}&${form(token)}`],
      [form(provider.logoutToken({ sid: "sid-1", aud: "another" }))],
      [JSON.stringify({ logout_token: token }), "application/json"],
      [form(token), "text/plain"],
      [`${form(token)}&padding=${"x".repeat(1_000_000)}`],
      [form("x".repeat(1_000_000))],
    ];
    for (const [body, type] of refused) {
      const answer = await post(body, type);
      const asked = [body.slice(0, 40), type];
      expect([...asked, answer.status, answer.json]).toMatchObject([...asked, 400, { error: "invalid_request" }]);
      expect([...asked, answer.headers["cache-control"], answer.setCookies]).toEqual([...asked, "no-store", []]);
      expect(answer.text).not.toContain(token.slice(-40));
    }
    expect(await live()).toBe(1);
    expect((await post(form(token))).status).toBe(200);
  });

  it("answers 503 while it cannot be told, and takes the same token later", async () => {
    const { provider, backend, live, post, form } = await startWithProvider();
    await post(form(provider.logoutToken({ sid: "sid-2" })));
    const body = form(provider.logoutToken({ sid: "sid-1" }));
    backend.isDown = true;
    const answer = await post(body);
    expect([answer.status, answer.json]).toMatchObject([503, { error: "temporarily_unavailable" }]);
    expect([answer.headers["cache-control"], answer.headers["retry-after"]]).toEqual(["no-store", "1"]);
    backend.isDown = false;
    expect([(await post(body)).status, await live()]).toEqual([200, 0]);
  });
};
