/**
 * What to send: the same prepared requests in turn, or refreshes, each with the token that the answer before it gave.
 * @typedef {{ kind: "fixed", requests: string[] } | { kind: "refresh", path: string, tokens: string[] }} LoadPlan
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

/** @param {string} refreshToken */
export const refreshBody = (refreshToken) => JSON.stringify({ refreshToken });

/**
 * Turns a plan into what one connection (a *lane*) does: the next request, and what it learns from the answer.
 * @param {LoadPlan} plan
 * @param {number} lanes
 * @returns {{ next: (lane: number) => string, learn: (lane: number, body: string) => void }}
 */
export const follow = (plan, lanes) => {
  if (plan.kind === "fixed") {
    let sent = 0;
    return { next: () => plan.requests[sent++ % plan.requests.length] ?? "", learn: () => undefined };
  }
  // Every lane turns over sessions of its own, so that no session is refreshed twice at once.
  const own = Array.from({ length: lanes }, (_, lane) => ({
    tokens: plan.tokens.filter((_token, place) => place % lanes === lane),
    turn: 0,
  }));
  const ofLane = (/** @type {number} */ lane) => {
    const { tokens, turn } = /** @type {(typeof own)[number]} */ (own[lane]);
    return { tokens, place: turn % tokens.length, token: tokens[turn % tokens.length] ?? "" };
  };
  return {
    next: (lane) => requestText({ method: "POST", path: plan.path, body: refreshBody(ofLane(lane).token) }),
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
