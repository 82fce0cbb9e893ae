import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { sdkVersions } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";
import type { Visitor } from "./visitor.js";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

const ask = async (path: string, body: object) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(core.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await answer.json()) as { readonly accessToken: { readonly token: string } };
};

/** As an application with our own SDK beside it does. @returns an access token of the session, which acts for Bob. */
const actAsBob = async (visitor: Visitor): Promise<string> => {
  core.clock.advance(31_000);
  const refreshToken = visitor.tokens.get("refresh");
  const { accessToken } = await ask("/v1/sessions/refresh", { refreshToken });
  const bob = { userId: "bob", payload: {}, reason: "ticket" };
  return (await ask("/v1/sessions/act-as", { accessToken: accessToken.token, ...bob })).accessToken.token;
};

describe.each(sdkVersions)("a session that acts for another user, in supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);

  test("is neither refreshed as that user nor logged out, and goes on afterwards", async () => {
    const { loggedIn, userId } = setup();
    const visitor = await loggedIn();
    const accessToken = await actAsBob(visitor);
    const held = new Map(visitor.tokens);
    const refused = await visitor.refresh();
    expect(refused.status).toBe(500);
    expect(visitor.tokens).toEqual(held);

    await ask("/v1/sessions/act-as-self", { accessToken });
    expect((await visitor.refresh()).status).toBe(200);
    expect((await visitor.act((session) => session.getUserId())).body).toBe(userId);
  });
});
