import type { UserId } from "@pawl/storage";
import { expect } from "vitest";
import { startTestCore, type TestCore } from "./core.js";

/** A key of a core that is good for verifying alone. */
const VERIFIER_KEY = "edge-key-0123456789-0123456789";

/** A core for programs at the edge, and what they have to know of it, as environment variables. */
export interface EdgeCore {
  readonly env: { readonly PAWL_CORE: string; readonly PAWL_API_KEY: string };
  readonly core: TestCore;
}

export const startEdgeCore = async (): Promise<EdgeCore> => {
  const apiKeys = ["administrator-0123456789-0123456789"];
  const core = await startTestCore({ config: { apiKeys, verifierApiKeys: [VERIFIER_KEY] } });
  return { env: { PAWL_CORE: core.url, PAWL_API_KEY: VERIFIER_KEY }, core };
};

export const logIn = async ({ engine }: TestCore) => {
  const { accessToken, session } = await engine.createSession({
    userId: "alice" as UserId,
    payload: { role: "admin" },
    form: "pawl",
  });
  return { token: accessToken.token, handle: session.handle };
};

/** Asks a program of the guide as somebody who is logged in, as nobody, and after the end. */
export const visitEdge = async (origin: string, core: TestCore, ended: string): Promise<void> => {
  const ask = async (headers: Record<string, string>) => {
    const answer = await fetch(origin, { headers });
    return [answer.status, await answer.json()];
  };
  const { token, handle } = await logIn(core);
  const valid = [200, { userId: "alice", role: "admin" }];
  expect(await ask({ authorization: `Bearer ${token}` })).toEqual(valid);
  expect(await ask({ cookie: `__Host-pawl-access=${token}` })).toEqual(valid);
  expect(await ask({})).toEqual([401, { why: "no_token" }]);
  expect(await ask({ authorization: `Bearer ${token}x` })).toEqual([401, { why: "bad_signature" }]);
  await core.engine.revokeSessions([handle]);
  // A Worker takes what it was told for the truth for ten seconds: another token has not been asked for yet.
  if (ended === "revoked")
    await expect.poll(() => ask({ authorization: `Bearer ${token}` })).toEqual([401, { why: ended }]);
  const other = await logIn(core);
  await core.engine.revokeSessions([other.handle]);
  await expect.poll(() => ask({ authorization: `Bearer ${other.token}` })).toEqual([401, { why: ended }]);
};
