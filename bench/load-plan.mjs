/**
 * What to send: prepared requests in turn; or the same GET as many visitors, each with the cookies its login set; or
 * refreshes of many sessions, each with the token that the answer before it gave; or verifications of their access tokens.
 * Logins and creates are sent by the
 * load process too, so that the server under test has only ever been a server.
 * @typedef {(
 *   | { kind: "fixed", requests: string[] }
 *   | { kind: "visits", logins: string[], path: string }
 *   | { kind: "refreshes", creates: string[] } & Asking
 *   | { kind: "verifications", creates: string[] } & Asking
 * )} LoadPlan
 *
 * @typedef {{ path: string, headers?: Record<string, string>, fields?: object }} Asking what is sent beside a token
 *
 * @typedef {{ cookies: string[], body: string }} Answer a success: its `Set-Cookie` lines and its body
 *
 * What one connection (a *lane*) does: the next request, and what it learns from the answer.
 * @typedef {{ next: (lane: number) => string, learn: (lane: number, body: string) => void }} Course
 */

/**
 * The text of an HTTP/1.1 request.
 * @param {{ method?: string, path: string, headers?: Record<string, string>, body?: string }} request
 */
export const requestText = ({ method = "GET", path, headers = {}, body }) => {
  const all = {
    host: "127.0.0.1",
    connection: "keep-alive",
    ...headers,
    ...(body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`;
};

/** The headers a browser sends with a same-origin `fetch`, so that parsing them costs what it costs in life. */
export const browserHeaders = {
  accept: "*/*",
  "accept-encoding": "gzip, deflate, br, zstd",
  "accept-language": "en-US,en;q=0.9",
  "sec-fetch-dest": "empty",
  "sec-fetch-mode": "cors",
  "sec-fetch-site": "same-origin",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
};

/** A request that asks about a token. */
const asking = (/** @type {Asking} */ { path, headers = {}, fields }, /** @type {object} */ token) =>
  requestText({ method: "POST", path, headers, body: JSON.stringify({ ...token, ...fields }) });

/**
 * Requests to verify the access tokens that creates were answered with.
 * @param {Asking} plan
 * @param {Answer[]} creates
 */
export const verificationsOf = (plan, creates) =>
  creates.map(({ body }) => asking(plan, { accessToken: JSON.parse(body).accessToken.token }));

/**
 * The requests of visitors to a path: with those of the cookies that a browser would send there (RFC 6265 section 5.1.4).
 * @param {string} path
 * @param {Answer[]} logins
 */
export const visitsOf = (path, logins) =>
  logins.map(({ cookies }) => {
    const sent = cookies.filter((line) => path.startsWith(/; *path=([^;]*)/i.exec(line)?.[1] ?? "/"));
    const cookie = sent.map((line) => line.split(";")[0]).join("; ");
    return requestText({ path, headers: { ...browserHeaders, cookie } });
  });

/**
 * Sends requests in turn.
 * @param {string[]} requests
 * @returns {Course}
 */
export const repeat = (requests) => {
  let sent = 0;
  return { next: () => requests[sent++ % requests.length] ?? "", learn: () => undefined };
};

/**
 * Refreshes sessions in turn. Every lane has sessions of its own, so that none is refreshed twice at once.
 * @param {Asking} plan
 * @param {Answer[]} creates
 * @param {number} lanes
 * @returns {Course}
 */
export const refreshAll = (plan, creates, lanes) => {
  const own = Array.from({ length: lanes }, (_, lane) => ({
    tokens: creates
      .filter((_create, place) => place % lanes === lane)
      .map(({ body }) => /** @type {string} */ (JSON.parse(body).refreshToken.token)),
    turn: 0,
  }));
  const ofLane = (/** @type {number} */ lane) => {
    const { tokens, turn } = /** @type {(typeof own)[number]} */ (own[lane]);
    return { tokens, place: turn % tokens.length, token: tokens[turn % tokens.length] ?? "" };
  };
  return {
    next: (lane) => asking(plan, { refreshToken: ofLane(lane).token }),
    learn: (lane, body) => {
      const { tokens, place, token } = ofLane(lane);
      const successor = JSON.parse(body).refreshToken?.token;
      if (typeof successor !== "string" || successor === token)
        throw new Error("a refresh was answered without a new refresh token");
      tokens[place] = successor;
      /** @type {(typeof own)[number]} */ (own[lane]).turn++;
    },
  };
};
