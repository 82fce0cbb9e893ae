import type { CookieView, DemoSettings, Role, StolenAnswer, ThiefAnswer } from "./answers.js";

// What no real application has: looking into the cookies, a thief, an administrator. Not shown in the log, but for the thief.

const ask = async <Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> => {
  const response = await fetch(path, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}`);
  return (await response.json()) as Answer;
};

export const getSettings = (): Promise<DemoSettings> => ask("GET", "/demo/settings");

/** What this browser's cookies hold. */
export const lookAtCookies = (): Promise<CookieView> => ask("GET", "/demo/cookies");

export const copyRefreshToken = (jar: string | undefined): Promise<StolenAnswer> => ask("POST", "/demo/steal", { jar });

export const replayAsThief = (jar: string): Promise<ThiefAnswer> => ask("POST", "/demo/thief/refresh", { jar });

export const callAsThief = (jar: string): Promise<ThiefAnswer> => ask("POST", "/demo/thief/call", { jar });

/** What an administrator does elsewhere. */
export const changeRole = (handle: string, role: Role): Promise<object> => ask("POST", "/demo/role", { handle, role });

/** Removes the access token's cookie, as if its time were over. */
export const expireAccessToken = (): Promise<object> => ask("POST", "/demo/expire");
