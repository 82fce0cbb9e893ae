import type { TestCore } from "./core.js";

/** A session as create and refresh answer with it. */
export interface CdiSession {
  readonly status: string;
  readonly session: { readonly handle: string; readonly userId: string };
  readonly accessToken: CdiToken;
  readonly refreshToken: CdiToken;
}

export interface CdiToken {
  readonly token: string;
  readonly expiry: number;
  readonly createdTime: number;
}

/** Sends what an SDK of one version would send. */
export interface CdiClient {
  /** @returns the body as JSON; a text answer is thrown with its status. */
  ask<Answer>(method: string, path: string, body?: object): Promise<Answer>;
}

export const cdiClient = (core: Pick<TestCore, "url">, version: string): CdiClient => ({
  async ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const answered = await fetch(core.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        "cdi-version": version,
        rid: "session",
        ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      },
    });
    const text = await answered.text();
    if (answered.status !== 200) throw new Error(`${answered.status} ${text}`);
    return JSON.parse(text) as Answer;
  },
});
