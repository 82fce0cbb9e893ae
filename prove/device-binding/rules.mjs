// What every answer to an honest browser has to keep, whatever happened before.
import { CHALLENGE, deviceOf, EXCHANGE, handleOf, rowOf } from "./world.mjs";

/**
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Life} Life
 * @typedef {import("./world.mjs").Done} Done
 */

/**
 * What an answer to the honest browser has to keep. @returns what is wrong
 * @param {World} before
 * @param {Done} done
 * @param {Life} life
 */
export const brokenRule = (before, { flight: flown, answer, fault }, life) => {
  if (answer === undefined) return undefined;
  const alarm = answer.events.find((event) => event === "token_reuse" || event === "forged_token");
  if (alarm !== undefined) return `an alarm: ${alarm}`;
  for (const row of answer.rows)
    if (row.endReason !== undefined && !before.over.includes(handleOf(row)) && flown !== undefined)
      return `ended: ${row.endReason}`;
  if (flown === undefined) return undefined;
  const { kind, jar, handle, signed, skipped } = flown;
  const isOver = (/** @type {string | undefined} */ of) => of === undefined || before.over.includes(of);
  // A registration of which the browser never heard is a key that it has not: required, that is the end; and a store that lost
  // commits may have lost that the key was given up.
  const mayLackKey = life.policy === "require" || life.losses !== undefined;
  const hasKey = (/** @type {string} */ of) => before.keys.some((key) => key.handle === of);
  const isLost = (/** @type {string | undefined} */ of) =>
    of !== undefined && (before.destroyed.includes(of) || (mayLackKey && !hasKey(of)));
  if (answer.cleared.some((name) => name.endsWith("-refresh")) && !isOver(jar.refresh?.handle))
    return "a live session's cookies are cleared";
  if (kind === "page") {
    const { found } = answer;
    // It was sent before the registration was answered, and comes after the key has proved a refresh: once, it is refused.
    const boundAt = deviceOf(rowOf(before, jar.refresh?.handle))?.at ?? Number.NEGATIVE_INFINITY;
    const isOvertaken = (jar.refresh?.iat ?? 0) < boundAt && before.now - boundAt <= EXCHANGE;
    if (isOvertaken && (found === "nobody" || fault !== undefined)) return undefined;
    const unproven = answer.events.includes("unproven_refresh");
    if (unproven && skipped !== "" && !isLost(jar.refresh?.handle)) return "a browser that has its key is reported";
    if (fault !== undefined && found === "UNKNOWN") return undefined;
    if (found === "session") return undefined;
    if (isOver(jar.refresh?.handle) || isLost(jar.refresh?.handle)) return undefined;
    // Something in between has taken the cookie away, or said nothing: the next request refreshes.
    if (found === "nobody" && skipped === "") return undefined;
    if (found === "UNKNOWN" && skipped !== undefined && skipped !== "") return undefined;
    if (found === "TRY_REFRESH" && (jar.access !== undefined || flown.isElsewhere))
      return answer.mayReload ? undefined : "a page is not loaded again";
    return `a page is answered ${found}`;
  }
  const { status, challenge, body } = answer;
  if (![200, 403, 503].includes(status)) return `a ${kind} is answered ${status}`;
  if (status === 200 && signed !== undefined && before.now - signed.at > CHALLENGE && answer.set.access !== undefined) {
    const row = rowOf(before, handle);
    if (kind === "registration" || row?.bound !== "") return "a proof over an old challenge is taken";
  }
  if (status === 503) return fault === undefined && jar.refresh !== undefined ? `a ${kind} is answered 503` : undefined;
  const isFresh = signed !== undefined && before.now - signed.at < CHALLENGE;
  if (kind === "refresh") {
    if (answer.events.includes("unproven_refresh")) return "a browser that has its key is reported";
    if (status === 403 && challenge?.handle !== handle) return "403 without a challenge";
    if (status === 403 && isFresh) return "a good proof is refused";
    const row = rowOf(before, handle);
    const isEnd = body?.["continue"] === false;
    const isHeld = row !== undefined && row.endedAt === undefined && jar.refresh?.handle === handle;
    if (isEnd && isHeld && row.bound !== "") return "the key of a live session is given up";
    if (status === 200 && answer.set.refresh === undefined && isHeld) return "a refresh is answered without cookies";
    return undefined;
  }
  const row = rowOf(before, handle);
  if (status === 200 && row?.next !== 0 && life.losses === undefined)
    return "a session is bound after it was refreshed";
  const isLate =
    row?.next !== 0 || row.endedAt !== undefined || !isFresh || row.bound !== "" || life.losses !== undefined;
  return status === 403 && !isLate ? "a registration is refused" : undefined;
};
