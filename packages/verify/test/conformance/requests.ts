import { createVerifier, type PresentedRequest, type VerifierOptions } from "../../src/index.js";
import { type Cases, wordOf } from "./case.js";
import { equal } from "./expectations.js";
import type { WorldClient } from "./world-client.js";

/** A request as a server gets it: a browser would not let a script put these headers into a `Request`. */
const request = (headers: Record<string, string>, method = "GET"): PresentedRequest => ({
  method,
  headers: new Headers(headers),
});

const begin = async (world: WorldClient, options: Partial<VerifierOptions> = {}) => {
  const { url } = await world.keySet({ keys: ["ec-1"] });
  const { verify } = createVerifier({ keys: url, ...options });
  const token = await world.sign({ key: "ec-1" });
  const word = async (headers: Record<string, string>, method?: string) =>
    wordOf(await verify(request(headers, method)));
  return { token, word, verify };
};

export const requestCases: Cases = {
  "a request brings its token as Bearer, or in the cookie": {
    async run(world) {
      const { token, word, verify } = await begin(world);
      const other = await world.sign({ key: "ec-1", body: { sub: "other" } });
      equal(await word({ authorization: `Bearer ${token}` }), "not checked");
      equal(await word({ authorization: `bearer   ${token}` }), "not checked");
      equal(await word({ cookie: `__Host-pawl-access=${token}` }), "not checked");
      equal(await word({ cookie: `a=b;\t__Host-pawl-access=${token};c=d` }), "not checked");
      const both = await verify(request({ authorization: `Bearer ${token}`, cookie: `__Host-pawl-access=${other}` }));
      equal(both.kind === "valid" && both.session.userId, "user-1");
    },
  },

  "a real request is read": {
    async run(world) {
      const { token, verify } = await begin(world);
      const found = await verify(
        new Request("https://api.example.com/me", { headers: { authorization: `Bearer ${token}` } }),
      );
      equal(wordOf(found), "not checked");
      equal(wordOf(await verify(new Request("https://api.example.com/me"))), "unknown no_token 401");
    },
  },

  "what is no token of ours is none, wherever it stands": {
    async run(world) {
      const { token, word } = await begin(world);
      for (const headers of [
        {},
        { cookie: "" },
        { authorization: "" },
        { authorization: token },
        { authorization: `Basic ${token}` },
        { authorization: `Bearer ${token} ${token}` },
        { cookie: `pawl-access=${token}` },
        { cookie: `__Secure-pawl-access=${token}` },
        { cookie: `x__Host-pawl-access=${token}` },
        { cookie: `__Host-pawl-access-2=${token}` },
        { cookie: `__host-pawl-access=${token}` },
        // Other spaces are part of a name, which a page of another host may have set.
        { cookie: `\u00a0__Host-pawl-access=${token}` },
        { cookie: `a=b; \u00a0__Host-pawl-access=${token}` },
        { cookie: `a=b;\u000b__Host-pawl-access=${token}` },
      ])
        equal(
          await word(headers as Record<string, string>),
          "unknown no_token 401",
          JSON.stringify(headers).slice(0, 100),
        );
      equal(await word({ authorization: "Bearer x" }), "unknown malformed 401");
      equal(await word({ cookie: "__Host-pawl-access=" }), "unknown malformed 401");
      equal(await word({ cookie: `__Host-pawl-access="${token}"` }), "unknown malformed 401");
    },
  },

  "a cookie of another name counts where it is said": {
    async run(world) {
      const { token, word } = await begin(world, { cookie: "sAccessToken" });
      equal(await word({ cookie: `sAccessToken=${token}` }), "not checked");
      equal(await word({ cookie: `__Host-pawl-access=${token}` }), "unknown no_token 401");
    },
  },

  "a page of another site gets nothing done with a cookie": {
    async run(world) {
      const { token, word } = await begin(world, { origins: ["https://app.example.com"] });
      const cookie = `__Host-pawl-access=${token}`;
      const own = "not checked";
      const foreign = "unknown other_site 403";
      const answers: readonly (readonly [string, Record<string, string>])[] = [
        [own, {}],
        [own, { "sec-fetch-site": "same-origin", origin: "https://api.example.com" }],
        [own, { "sec-fetch-site": "same-site", origin: "https://app.example.com" }],
        [own, { origin: "https://app.example.com" }],
        [foreign, { "sec-fetch-site": "same-site", origin: "https://other.example.com" }],
        [foreign, { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
        [foreign, { "sec-fetch-site": "cross-site", origin: "null" }],
        [foreign, { "sec-fetch-site": "cross-site" }],
        [foreign, { "sec-fetch-site": "same-site" }],
        [foreign, { origin: "https://evil.example" }],
        [foreign, { origin: "null" }],
        [foreign, { origin: "https://app.example.com.evil.example" }],
      ];
      for (const [word_, headers] of answers) {
        for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", "FORGET", ""])
          equal(await word({ cookie, ...headers }, method), word_, `${method} ${JSON.stringify(headers)}`);
        // Nothing is done by these, and what they show no other page can read.
        for (const method of ["GET", "HEAD", "OPTIONS"]) equal(await word({ cookie, ...headers }, method), own);
        equal(await word({ authorization: `Bearer ${token}`, cookie, ...headers }, "POST"), own);
        equal(await word(headers, "POST"), "unknown no_token 401");
      }
    },
  },
};
