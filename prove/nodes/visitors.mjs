// Honest visitors of core nodes: each logs in, refreshes, verifies and sometimes logs out, asks another node when one does
// not answer, and repeats a refresh with the token it has until it hears something.
import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 120_000;
const TIMEOUT_MS = 5000;

/**
 * One request.
 * @param {string} url
 * @param {object} body
 * @returns {Promise<{ status: number, answer: any } | undefined>} undefined where nothing was heard, or 5xx
 */
export const post = async (url, body) => {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.json();
    return response.status >= 500 ? undefined : { status: response.status, answer };
  } catch {
    return undefined;
  }
};

/**
 * Sends visitors through the nodes.
 * @param {{ urls: () => readonly string[] }} nodes
 * @param {{ random: import("../random.mjs").Random, lanes?: number }} options
 */
export const startVisitors = (nodes, { random, lanes = 16 }) => {
  /**
   * Sessions that were acknowledged: the newest token that was, and whether their end was.
   * @typedef {{ handle: string, token: string, accessToken: string, lost?: string, isEnding?: boolean, isEnded?: boolean }} Session
   * @type {Map<string, Session>}
   */
  const sessions = new Map();
  const count = { acknowledged: 0, alarms: 0, loggedOut: 0, refusedTokens: 0 };
  /** @type {{ isOver: boolean, failed?: Error }} */
  const state = { isOver: false };

  const untilAnswered = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const end = performance.now() + PATIENCE_MS;
    while (performance.now() < end) {
      const heard = await post(random.pick(nodes.urls()) + path, body);
      if (heard !== undefined) return heard;
      await pause(20);
    }
    throw new Error(`no answer from ${path} within ${PATIENCE_MS / 1000} s`);
  };

  const refresh = async (/** @type {Session} */ session) => {
    const { status, answer } = await untilAnswered("/v1/sessions/refresh", { refreshToken: session.token });
    if (status === 200) {
      session.token = answer.refreshToken.token;
      session.accessToken = answer.accessToken.token;
      count.acknowledged += 1;
      return true;
    }
    session.lost = answer.code;
    if (answer.code === "token_theft_detected") count.alarms += 1;
    else count.loggedOut += 1;
    return false;
  };

  const verify = async (/** @type {Session} */ { accessToken }) => {
    const { status } = await untilAnswered("/v1/sessions/verify", { accessToken });
    if (status !== 200) count.refusedTokens += 1;
  };

  const revoke = async (/** @type {Session} */ session) => {
    session.isEnding = true;
    await untilAnswered("/v1/sessions/revoke", { handles: [session.handle], reason: "logout" });
    session.isEnded = true;
    count.acknowledged += 1;
  };

  const visit = async (/** @type {string} */ userId) => {
    const heard = await post(`${random.pick(nodes.urls())}/v1/sessions`, { userId });
    // A login that was not answered may have been made: nobody holds its tokens.
    if (heard?.status !== 201) return pause(20);
    const { session: made, refreshToken, accessToken } = heard.answer;
    /** @type {Session} */
    const session = { handle: made.handle, token: refreshToken.token, accessToken: accessToken.token };
    sessions.set(session.handle, session);
    count.acknowledged += 1;
    for (let turn = random.below(6); turn >= 0 && !state.isOver; turn -= 1) {
      if (!(await refresh(session))) return undefined;
      await verify(session);
    }
    if (random.chance(0.5) && !state.isOver) await revoke(session);
  };

  const lane = async (/** @type {string} */ name) => {
    for (let round = 0; !state.isOver; round += 1) await visit(`${name}-${round % 7}`);
  };
  const work = Promise.all(Array.from({ length: lanes }, (_, name) => lane(`visitor-${name}`))).catch((error) => {
    state.failed = error;
    state.isOver = true;
  });

  return {
    count,
    /** Resolves after so many more acknowledged writes. */
    async acknowledged(/** @type {number} */ more) {
      const wanted = count.acknowledged + more;
      while (count.acknowledged < wanted && !state.isOver) await pause(2);
      if (state.failed !== undefined) throw state.failed;
    },
    /** Lets everyone finish the step they are at. */
    async finish() {
      state.isOver = true;
      await work;
      if (state.failed !== undefined) throw state.failed;
    },
    /** Whether what was acknowledged still holds. @returns sessions that are lost, and ended ones that are alive. */
    async check() {
      let lost = 0;
      let revived = 0;
      const queue = [...sessions.values()].filter((session) => session.lost === undefined);
      const worker = async () => {
        for (let session = queue.pop(); session !== undefined; session = queue.pop()) {
          const body = { refreshToken: session.token };
          const { status } = await untilAnswered("/v1/sessions/refresh", body);
          if (session.isEnded === true && status === 200) revived += 1;
          // An end that nobody acknowledged may or may not have come about.
          if (session.isEnding !== true && status !== 200) lost += 1;
        }
      };
      await Promise.all(Array.from({ length: lanes }, worker));
      return { lost, revived, checked: sessions.size };
    },
  };
};
