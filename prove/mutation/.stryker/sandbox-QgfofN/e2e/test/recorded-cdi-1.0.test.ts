import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "./core.js";

/**
 * What a core of the original (2.5.2) answered to requests without a `cdi-version` header, recorded. Where the CDI 1.0
 * text and the recording differ the text wins, and `differs` says how.
 */
interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly version?: string;
    readonly body?: object;
  };
  readonly answer: { readonly status: number; readonly type: string; readonly body: unknown };
  readonly differs?: string;
}

const text = "text/html; charset=UTF-8";
const json = "application/json; charset=UTF-8";
const login = {
  userId: "user-1",
  userDataInJWT: { role: "admin", nul: null },
  userDataInDatabase: { note: "x" },
};
const token = (path: string) => ({
  token: expect.any(String),
  expiry: expect.any(Number),
  createdTime: expect.any(Number),
  cookiePath: path,
  cookieSecure: false,
  domain: "localhost",
});

const recorded: readonly Exchange[] = [
  {
    name: "hello",
    request: { method: "GET", path: "/hello" },
    answer: { status: 200, type: text, body: "Hello\n" },
  },
  {
    name: "create",
    request: { method: "POST", path: "/session", body: login },
    answer: {
      status: 200,
      type: json,
      body: {
        session: { handle: expect.any(String), userId: "user-1", userDataInJWT: { role: "admin", nul: null } },
        accessToken: token("/"),
        refreshToken: token("/session/refresh"),
        idRefreshToken: { token: expect.any(String), expiry: expect.any(Number), createdTime: expect.any(Number) },
        antiCsrfToken: expect.any(String),
        status: "OK",
        jwtSigningPublicKey: expect.stringMatching(/^MII[A-Za-z0-9+/]+=*$/),
        jwtSigningPublicKeyExpiryTime: 9223372036854775807,
      },
    },
    differs:
      "null members of the application's data are kept; the recording ran with anti-CSRF off and with rotating keys, whose expiry was a real time",
  },
  {
    name: "unknown cdi-version",
    request: { method: "POST", path: "/session", version: "9.9", body: login },
    answer: { status: 400, type: text, body: "cdi-version 9.9 not supported\n" },
  },
  {
    name: "a version that is spoken elsewhere, on a bare path",
    request: { method: "POST", path: "/session", version: "2.3", body: login },
    answer: { status: 400, type: text, body: "cdi-version 2.3 not supported\n" },
    differs: "the recorded core answered 2.3 on the bare paths; ours speaks 1.0 alone there",
  },
  {
    name: "unknown path",
    request: { method: "GET", path: "/nope" },
    answer: { status: 404, type: text, body: "Not found\n" },
  },
  {
    name: "GET on /session",
    request: { method: "GET", path: "/session" },
    answer: { status: 405, type: text, body: "Method not supported\n" },
  },
];

/** `type/subtype` and charset, whatever the spaces and letters' case. */
const mediaType = (value: string | null): string => (value ?? "").toLowerCase().replaceAll(/\s/g, "");

describe("recorded answers to requests without cdi-version", () => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore();
  });
  afterAll(() => core.close());

  for (const { name, request, answer, differs } of recorded)
    test(`${name}${differs === undefined ? "" : ` (differs: ${differs})`}`, async () => {
      const result = await fetch(core.url + request.path, {
        method: request.method,
        ...(request.body ? { body: JSON.stringify(request.body) } : {}),
        headers: {
          "content-type": "application/json; charset=utf-8",
          ...(request.version ? { "cdi-version": request.version } : {}),
        },
      });
      expect(result.status).toBe(answer.status);
      expect(mediaType(result.headers.get("content-type"))).toBe(mediaType(answer.type));
      const body = await result.text();
      expect(body.endsWith("\n")).toBe(true);
      if (typeof answer.body === "string") expect(body).toBe(answer.body);
      else expect(JSON.parse(body)).toEqual(answer.body);
    });

  test("the access token is written as CDI 1.0 writes it", async () => {
    const result = await fetch(`${core.url}/session`, { method: "POST", body: JSON.stringify(login) });
    const { accessToken } = (await result.json()) as { accessToken: { token: string } };
    const [header = "", payload = "", signature = ""] = accessToken.token.split(".");
    expect(header).toBe("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=");
    expect(Buffer.from(signature, "base64")).toHaveLength(256);
    expect(JSON.parse(Buffer.from(payload, "base64").toString())).toEqual({
      sessionHandle: expect.any(String),
      userId: "user-1",
      refreshTokenHash1: "0",
      userData: { role: "admin", nul: null },
      antiCsrfToken: expect.any(String),
      expiryTime: expect.any(Number),
      timeCreated: expect.any(Number),
      isPaid: false,
    });
  });
});
