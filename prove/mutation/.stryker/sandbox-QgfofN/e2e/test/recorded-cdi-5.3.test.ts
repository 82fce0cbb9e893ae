import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atOnce, StandingClock, startTestCore, type TestCore } from "./core.js";
import { expectedExchange, unusedDifferences } from "./recorded/differences.js";
import { decodeToken, type Exchange, modernExchanges } from "./recorded/exchanges.js";
import { Replay } from "./recorded/replay.js";

/** `type/subtype` and charset, whatever the spaces and letters' case. */
const mediaType = (value: string | null | undefined): string => (value ?? "").toLowerCase().replaceAll(/\s/g, "");

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The tokens that the recording altered, made of one of ours. */
const alteredTokens = (token: string): Readonly<Record<string, string>> => {
  const { header, payload } = decodeToken(token);
  const parts = token.split(".");
  const { kid, ...nameless } = header;
  const withHeader = (changed: object): string => [encode(changed), ...parts.slice(1)].join(".");
  const unsigned = `${encode({ ...header, alg: "HS256" })}.${encode(payload)}`;
  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const foreign = `${encode({ ...header, kid: "d-1" })}.${encode(payload)}`;
  const [first = "", ...rest] = parts[2] ?? "";
  return {
    "verify: signature altered": [...parts.slice(0, 2), (first === "A" ? "B" : "A") + rest.join("")].join("."),
    "verify: unknown kid": `${foreign}.${sign("sha256", Buffer.from(foreign), stranger).toString("base64url")}`,
    "verify: alg none": `${encode({ ...header, alg: "none" })}.${encode(payload)}.`,
    "verify: alg HS256": `${unsigned}.${createHmac("sha256", String(kid)).update(unsigned).digest("base64url")}`,
    "verify: kid missing": withHeader(nameless),
    "verify: version 9": withHeader({ ...header, version: "9" }),
  };
};

const alteredRefreshTokens = (token: string): Readonly<Record<string, string>> => ({
  "refresh: nonce altered": token.slice(0, -1) + (token.endsWith("A") ? "B" : "A"),
  "refresh: version suffix V1 with a V2 body": `${token}.V1`,
  "refresh: version suffix V3": `${token}.V3`,
});

describe("recorded answers of a core 10.1, without reuse window and with theft reported", () => {
  const replay = new Replay();
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore({ ...atOnce, clock: new StandingClock() });
  });
  afterAll(() => core.close());

  const bodyOf = ({ name, body }: Exchange): string | undefined => {
    if (body?.includes("<other") !== true) return body && replay.fill(body);
    const altered = body.includes("<other-JWT>")
      ? alteredTokens(replay.value("AT1"))[name]
      : alteredRefreshTokens(replay.value("RT1"))[name];
    if (altered === undefined) throw new Error(`it is not known what ${name} altered`);
    return body.replace(/<other-JWT>|<other-encrypted>\.<nonce>\.V\d/, altered);
  };

  for (const recorded of modernExchanges) {
    const { reason, afterwards, ...exchange } = expectedExchange(recorded);
    test(`${exchange.section}: ${exchange.name}${reason === undefined ? "" : ` (differs: ${reason})`}`, async () => {
      const [method = "", target = ""] = replay.fill(exchange.request).split(" ");
      const body = bodyOf(exchange);
      const answered = await fetch(core.url + target, {
        method,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
        headers: {
          "content-type": "application/json; charset=utf-8",
          ...(exchange.version === undefined ? {} : { "cdi-version": exchange.version }),
          ...(exchange.rid === undefined ? {} : { rid: exchange.rid }),
        },
      });
      const text = await answered.text();
      expect({ status: answered.status, text }).toMatchObject({ status: exchange.status });
      expect(mediaType(answered.headers.get("content-type"))).toBe(mediaType(exchange.type));
      if (exchange.cacheControl !== undefined)
        expect(answered.headers.get("cache-control")).toMatch(/^max-age=6047\d\d, must-revalidate$/);
      if (typeof exchange.answer !== "object")
        expect(text).toBe(method === "HEAD" ? "" : `${exchange.answer as string}\n`);
      else {
        const answer = JSON.parse(text) as { readonly accessToken?: { readonly token: string } };
        replay.compare(answer, exchange.answer);
        if (exchange.token !== undefined) replay.compareToken(String(answer.accessToken?.token), exchange.token);
      }
      afterwards?.(replay);
    });
  }

  test("no difference is named that is none", () => {
    expect(unusedDifferences(modernExchanges)).toEqual([]);
  });
});
