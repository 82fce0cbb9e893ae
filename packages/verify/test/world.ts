import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readConfig, startCore } from "@pawl/core";
import { defaultPolicy, type JsonObject } from "@pawl/engine";
import { millis, type UserId } from "@pawl/storage";
import { forge, realTokensAt, signedText } from "../../engine/test/verification/forged-tokens.js";
import { claimsAt, makeKey, type TokenKey } from "../../engine/test/token-fixtures.js";
import { createKeySet } from "../../engine/src/keys/key-set.js";
import { issueAccessToken } from "../../engine/src/tokens/access-token.js";
import { forwardTo } from "../../node/test/adapters/forward.js";
import { served } from "../../node/test/adapters/served.js";
import {
  ABSENT,
  type Actions,
  API_KEY,
  type FeedStep,
  type KeySetMode,
  type SignInput,
} from "./conformance/world-client.js";

interface PublishedKeySet {
  keys: readonly string[];
  mode: KeySetMode;
  asked: number;
}

interface ScriptedFeed {
  readonly connections: readonly (readonly FeedStep[])[];
  readonly asked: string[];
  readonly open: Set<ServerResponse>;
}

interface ScriptedIntrospection {
  readonly answer: string;
  readonly asked: { readonly authorization: string | null; readonly body: string }[];
}

/** What lies around a verifier: a real core, and servers that hang, lie or stop in the middle. */
export interface World {
  readonly origin: string;
  close(): Promise<void>;
}

/** @param files what is served to a browser, by path. */
export const startWorld = async (
  files: Readonly<Record<string, { type: string; text: string }>> = {},
): Promise<World> => {
  const core = await startCore(
    {
      ...readConfig({ env: {}, cwd: import.meta.dirname }),
      host: "127.0.0.1",
      port: 0,
      storage: "memory:",
      policy: { ...defaultPolicy, enableAntiCsrf: false },
      apiKeys: [`${API_KEY}-of-an-administrator`],
      verifierApiKeys: [API_KEY],
      logLevel: "none",
    },
    {},
  );
  const { engine } = core;
  let isDown = false;
  const forwarded = new Set<ServerResponse>();
  let made = 0;
  const keys = new Map<string, TokenKey>();
  const keySets = new Map<string, PublishedKeySet>();
  const feeds = new Map<string, ScriptedFeed>();
  const introspections = new Map<string, ScriptedIntrospection>();

  const keyOf = (name: string): TokenKey => {
    const known = keys.get(name) ?? makeKey(name.startsWith("rsa") ? "RS256" : "ES256", name);
    keys.set(name, known);
    return known;
  };
  const publicKeys = (names: readonly string[]) => createKeySet(names.map((name) => keyOf(name).verification));

  const sign = ({
    key: name,
    form = "pawl",
    payload = {},
    at = 0,
    life = 3_600_000,
    version = 0,
    ...odd
  }: SignInput) => {
    const key = keyOf(name);
    const issuedAt = millis(Date.now() + at);
    const changed = { payload: payload as JsonObject, payloadVersion: version, expiresAt: millis(issuedAt + life) };
    const { token } = issueAccessToken(claimsAt(issuedAt, form, changed), key.signer);
    const [head = "", body = ""] = token.split(".");
    const withMembers = (part: string, members: object = {}): string => {
      const all = { ...(JSON.parse(Buffer.from(part, "base64url").toString()) as object), ...members };
      return JSON.stringify(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ABSENT)));
    };
    const { headerText = withMembers(head, odd.header), bodyText = withMembers(body, odd.body) } = odd;
    return signedText(key.privateKey, headerText, Buffer.from(bodyText).toString("base64url"));
  };

  const actions: { readonly [Name in keyof Actions]: (input: Parameters<Actions[Name]>[0]) => unknown } = {
    async login({ userId, payload = {}, form = "pawl", algorithm }) {
      const issued = await engine.createSession({
        userId: userId as UserId,
        payload: payload as JsonObject,
        form,
        algorithm,
      });
      return {
        accessToken: issued.accessToken.token,
        refreshToken: issued.refreshToken.token,
        handle: issued.session.handle,
      };
    },
    async refresh({ refreshToken }) {
      const outcome = await engine.refreshSession({ refreshToken, form: "pawl" });
      return outcome.kind === "refreshed" ? { accessToken: outcome.accessToken.token } : {};
    },
    async crowd({ userId, count, shown }) {
      const logins = Array.from({ length: count }, () =>
        engine.createSession({ userId: userId as UserId, form: "pawl" }),
      );
      const tokens = (await Promise.all(logins)).map(({ accessToken }) => accessToken.token);
      return tokens.filter((_, at) => at % (count / shown) === 0);
    },
    revoke: ({ handles }) => engine.revokeSessions(handles as never),
    revokeUser: async ({ userId }) => (await engine.revokeAllForUser({ userId: userId as UserId })).length,
    change: ({ handle, payload }) =>
      engine.updatePayload(handle as never, payload as JsonObject, { form: "pawl" } as never),
    power(input) {
      isDown = input.isDown;
      if (isDown) for (const res of forwarded) res.destroy();
    },
    keySet({ keys: names, mode = "ok" }) {
      const id = String(made++);
      keySets.set(id, { keys: names, mode, asked: 0 });
      return { url: `${front.origin}/key-sets/${id}`, id, keys: publicKeys(names) };
    },
    changeKeySet({ id, ...changes }) {
      Object.assign(keySets.get(id)!, changes);
    },
    keySetAsked: ({ id }) => keySets.get(id)!.asked,
    sign,
    forgeries() {
      const pair = { rsa: keyOf("rsa-forged"), ec: keyOf("ec-forged") };
      const real = realTokensAt(millis(Date.now()), pair);
      return { real, forgeries: forge({ ...pair, real }) };
    },
    feed({ connections }) {
      const id = String(made++);
      feeds.set(id, { connections, asked: [], open: new Set() });
      return { url: `${front.origin}/feeds/${id}`, id };
    },
    feedAsked: ({ id }) => feeds.get(id)!.asked,
    feedOpen: ({ id }) => feeds.get(id)!.open.size,
    feedCut({ id }) {
      for (const res of feeds.get(id)!.open) res.destroy();
    },
    introspection({ answer }) {
      const id = String(made++);
      introspections.set(id, { answer, asked: [] });
      return { url: `${front.origin}/introspections/${id}`, id };
    },
    introspectionAsked: ({ id }) => introspections.get(id)!.asked,
  };

  const answerKeySet = (id: string, res: ServerResponse): void => {
    const set = keySets.get(id)!;
    set.asked++;
    const text = JSON.stringify(publicKeys(set.keys));
    const json = { "content-type": "application/json" };
    const lie = (jwk: object): object => ({ ...publicKeys(set.keys).keys[0], ...jwk });
    const answers: Readonly<Record<KeySetMode, () => unknown>> = {
      ok: () => res.writeHead(200, json).end(text),
      hang: () => undefined,
      "hang in the body": () => res.writeHead(200, json).write(text.slice(0, 50)),
      "cut in the body": () =>
        res.writeHead(200, { ...json, "content-length": 10_000 }).write(text, () => res.destroy()),
      huge: () => {
        res.writeHead(200, json).write('{"keys":[');
        const more = (): void => {
          while (!res.destroyed && res.write(" ".repeat(65_536)));
        };
        res.on("drain", more);
        more();
      },
      empty: () => res.writeHead(200, json).end('{"keys":[]}'),
      "nothing at all": () => res.writeHead(200, json).end(),
      "no keys": () => res.writeHead(200, json).end('{"keys":null}'),
      "no object": () => res.writeHead(200, json).end("null"),
      "a page": () => res.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>"),
      "an error": () => res.writeHead(500, json).end(text),
      "a redirect": () => res.writeHead(302, { location: `${front.origin}/key-sets/${id}-elsewhere` }).end(),
      "no key that counts": () => {
        const lies = [{ use: "enc" }, { alg: "ES384" }, { kty: "oct", k: "AAAA" }, { kty: "OKP" }].map(lie);
        res.writeHead(200, json).end(JSON.stringify({ keys: [null, 1, "key", [], {}, ...lies] }));
      },
      "others beside it": () => {
        const own = publicKeys(set.keys).keys;
        const second = { ...publicKeys(["ec-of-a-liar"]).keys[0], kid: set.keys[0] };
        const lies = [{ use: "enc" }, { kty: "oct", k: "AAAA" }].map(lie);
        res.writeHead(200, json).end(JSON.stringify({ keys: [null, ...lies, ...own, second] }));
      },
    };
    answers[set.mode]();
  };

  const answerFeed = (id: string, req: IncomingMessage, res: ServerResponse): void => {
    const feed = feeds.get(id)!;
    feed.asked.push(
      `${req.headers["authorization"] ?? "no key"} ${(req.headers["last-event-id"] as string) ?? "no cursor"}`,
    );
    feed.open.add(res);
    res.on("close", () => feed.open.delete(res));
    const steps = feed.connections[Math.min(feed.asked.length, feed.connections.length) - 1] ?? [];
    const play = (at: number): void => {
      const step = steps[at];
      if (step === undefined || res.destroyed) return;
      if (typeof step === "number")
        res.writeHead(step, { "content-type": step === 200 ? "text/event-stream" : "text/plain" });
      else if (step === "cut") res.destroy();
      else if (step === "end") res.end();
      else res.write(step);
      // Each step is a packet of its own.
      setImmediate(play, at + 1);
    };
    play(0);
  };

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const [, first = "", second = ""] = (req.url ?? "").split("/");
    const file = files[`/${first}`];
    if (file) return void res.writeHead(200, { "content-type": file.type }).end(file.text);
    if (first === "core") {
      req.url = (req.url ?? "").slice("/core".length);
      if (isDown) return void res.destroy();
      forwarded.add(res);
      res.on("close", () => forwarded.delete(res));
      return forwardTo(core.address.port, req, res);
    }
    // As an application shows its own pages the keys of a core, which answers no browser.
    if (first === "keys")
      return void res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(engine.keySet()));
    if (first === "key-sets") return answerKeySet(second, res);
    if (first === "feeds") return answerFeed(second, req, res);
    let body = "";
    for await (const chunk of req) body += String(chunk);
    if (first === "introspections") {
      const { asked, answer: text } = introspections.get(second)!;
      asked.push({ authorization: req.headers["authorization"] ?? null, body });
      if (text === "hang") return;
      const status = /^\d{3}$/.test(text) ? Number(text) : 200;
      const location = status === 302 ? { location: `${front.origin}/introspections/${second}` } : {};
      return void res.writeHead(status, { "content-type": "application/json", ...location }).end(text);
    }
    const result = await (actions[first as keyof Actions] as (input: unknown) => unknown)(JSON.parse(body));
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result ?? null));
  };

  const front = await served(
    createServer((req, res) => {
      answer(req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
    }),
  );
  return {
    origin: front.origin,
    async close() {
      await front.close();
      await core.close();
    },
  };
};
