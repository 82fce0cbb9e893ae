import { expect } from "vitest";
import type { Answer, ListeningCore, Sending } from "../listening-core.js";

export const JSON_TYPE = "application/json; charset=UTF-8";
export const TEXT_TYPE = "text/html; charset=UTF-8";
export const HOUR = 3_600_000;
export const WEEK = 168 * HOUR;

/** What an SDK sends to make a session. */
export const login = {
  userId: "user-1",
  enableAntiCsrf: false,
  userDataInJWT: { role: "x" },
  userDataInDatabase: { n: null },
};
/** The version of the CDI that a request is sent in. */
export const at = (version: string): Sending => ({ headers: { "cdi-version": version } });

export const create = async (core: ListeningCore, version = "5.4", more: object = {}): Promise<Answer> =>
  core.send("POST", "/recipe/session", { ...at(version), body: { ...login, ...more } });
export const verify = async (core: ListeningCore, accessToken: string, more: object = {}, version = "5.4") =>
  (
    await core.send("POST", "/recipe/session/verify", {
      ...at(version),
      body: { accessToken, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: false, ...more },
    })
  ).json;
export const refresh = async (core: ListeningCore, refreshToken: string, more: object = {}, version = "5.4") =>
  (
    await core.send("POST", "/recipe/session/refresh", {
      ...at(version),
      body: { refreshToken, enableAntiCsrf: false, useDynamicSigningKey: true, ...more },
    })
  ).json;
export const remove = async (core: ListeningCore, body: object) =>
  (await core.send("POST", "/recipe/session/remove", { body })).json;

export const expectText = (answer: Answer, status: number, text: string): void =>
  expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([status, TEXT_TYPE, `${text}\n`]);
