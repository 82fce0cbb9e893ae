// Which worlds are alike: ages count up to where they make a difference, numbers from the newest.
import { ACCESS, WINDOW } from "./stage.mjs";
import { CHALLENGE, deviceOf, handleOf, rowOf, UNIT } from "./world.mjs";

/**
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Jar} Jar
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Challenge} Challenge
 */

/** Ages above which all are alike, in units. */
const OLD = WINDOW / UNIT + 1;
const LONG_AGO = CHALLENGE / UNIT + 1;

const clipped = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(most, Math.ceil(value / UNIT));

/** Texts that are equal for worlds from which the same may follow; `stolen`: as far as it matters to the thief. */
export const keysOf = (/** @type {World} */ world) => {
  const { now, rows, commits, jar, keys, flights, thief } = world;
  const stands = [rows, ...commits.slice(0, world.losses)];
  const index = (/** @type {string} */ handle) => rows.findIndex((row) => handleOf(row) === handle);
  const refresh = (/** @type {Jar["refresh"]} */ copy) => {
    if (copy === undefined) return "-";
    const at = index(copy.handle);
    return stands.map((rows) => {
      const row = rows[at];
      if (row === undefined) return "";
      const behind = Math.min(row.next - copy.seq, row.next - row.current + 1);
      return [
        at,
        behind,
        clipped(now - copy.iat, OLD),
        clipped(row.issuedAt - copy.iat, OLD),
        copy.iat >= (deviceOf(row)?.at ?? 0),
      ];
    });
  };
  const access = (/** @type {Jar["access"]} */ token) => {
    const row = rowOf(world, token?.handle);
    if (token === undefined || row === undefined) return "-";
    return [
      index(token.handle),
      Math.max(0, clipped(token.expires - now, ACCESS / UNIT)),
      row.next - token.seq,
      token.parent === undefined,
      clipped(now - token.iat, OLD),
    ];
  };
  const both = (/** @type {Jar | undefined} */ jar) => jar && [access(jar.access), refresh(jar.refresh)];
  const challenge = (/** @type {Challenge | undefined} */ given) => given && clipped(now - given.at, LONG_AGO);
  const flown = flights.map((one) =>
    JSON.stringify([
      one.kind,
      now - one.sent,
      both(one.jar),
      index(one.handle),
      challenge(one.signed),
      one.challenges,
      one.skipped,
      one.isElsewhere,
      one.arrived,
      one.answers.map(({ status, found, set, cleared, challenge, body }) => [
        status,
        found,
        both(set),
        cleared,
        challenge?.handle,
        body?.["continue"],
      ]),
    ]),
  );
  const stored = stands.map((rows) =>
    rows.map((row) => [
      row.next - row.current,
      clipped(now - row.issuedAt, OLD),
      row.bound !== "",
      deviceOf(row)?.pending === row.next,
      row.endReason,
    ]),
  );
  const stolen = JSON.stringify([stored, world.proved.map(index), both(thief)]);
  const rest = JSON.stringify([
    world.losses,
    both(jar),
    Math.max(0, clipped(world.ends - now, ACCESS / UNIT)),
    keys.map(({ handle, challenge: given }) => [index(handle), challenge(given)]),
    world.skipped,
    flown.toSorted(),
    world.destroyed.map(index),
    world.over.map(index),
  ]);
  return { all: stolen + rest, stolen };
};
