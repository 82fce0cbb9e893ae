import { expect, test, vi } from "vitest";
import { type FailureKind, simulate, type SimulationOptions } from "../src/index.js";
import { mistakes, shop } from "./shop.js";

// Each lives dozens of lives.
vi.setConfig({ testTimeout: 120_000 });

const SEEDS = [1, 2, 3];

test.each(SEEDS)("nothing is wrong with the application without a mistake: seed %i", async (seed) => {
  const { failures, visits } = await simulate(shop(), { seed, days: 5 });
  expect(failures).toEqual([]);
  expect(visits).toBeGreaterThan(20);
});

const planted: Readonly<Record<keyof typeof mistakes, readonly [FailureKind, RegExp, SimulationOptions?]>> = {
  "a middleware keeps the last Set-Cookie only": ["lost-cookie", /without the access cookie/],
  "a proxy joins the lines of Set-Cookie": ["lost-cookie", /without the refresh cookie/],
  "every answer may be cached by everybody": [
    "cacheable",
    /POST \/login sets the cookies of a session.*public, max-age=300/,
  ],
  "pages may be cached by everybody, answers with cookies by nobody": ["cacheable", /page of somebody logged in/],
  "answers are kept by their address, with their cookies": ["mixed-up", /got (?:alice|bob)'s cookie/],
  "pages may be cached by browsers": ["stale-page", /after (?:alice|bob)'s logout/],
  "pages are kept by their address": ["mixed-up", /was shown alice's page/],
  "a failure of the storage is answered 401": ["outage", /was told to be logged out \(401\)/],
  "a failure of the storage clears the cookies": ["outage", /cleared __Host-pawl-access, __Host-pawl-refresh/],
  "the login makes no session": ["login", /alice's visit was answered 401/],
  "access tokens are read and not verified": ["outlived", /an access token of (?:alice|bob) that had expired/],
  "users are kept in memory by their access token": ["outlived", /copied before the logout/],
  "nothing checks where a logout comes from": ["cross-origin", /logged (?:alice|bob) out/],
  "nothing checks where a login comes from": ["cross-origin", /logged (?:alice|bob) in/],
  "a second instance has a storage of its own": ["logged-out", /whose session has not ended/],
  "the cookies are for another domain": ["refused-cookie", /not in this host's domain/],
  "the refresh cookie goes to a path that nobody asks": ["logged-out", /the refresh cookie goes to \/session/],
  "a login goes on with the session that is there": ["kept-session", /logged in over a session/],
  "a job goes on with a copied refresh token": ["false-alarm", /somebody honest sent a refresh token/],
  "a theft is reported, and nobody does anything": ["thief", /still let in/, { thief: "after-lunch" }],
};

test.each(Object.keys(planted) as (keyof typeof mistakes)[])("found: %s", async (name) => {
  const [kind, message, options] = planted[name];
  const { failures } = await simulate(shop(mistakes[name]), { seed: 1, days: 5, ...options });
  const found = failures.find((failure) => failure.kind === kind);
  expect(found?.message).toMatch(message);
  expect(found?.story.at(-1)).toContain(`!! ${kind}`);
});
