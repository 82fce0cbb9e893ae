// The oracle: which traces can a browser with one cookie jar, and any number of tabs, produce? It knows nothing of how
// the server decides. A client is what an honest one may be at a time: a jar, what the jar held lately, and answers under
// way. An exchange takes at most EXCHANGE; each answer may arrive at any time until then, more than once, or never, and a
// request may carry whatever the jar held within the last EXCHANGE.

export const UNIT = 10_000;
export const WINDOW = 6 * UNIT;
export const EXCHANGE = WINDOW / 3;

/** The order of texts, for `sort`. @param {string} left @param {string} right */
export const byText = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

/**
 * @typedef {Map<string, number>} Times a time for each copy
 * @typedef {{ jar: string, held: Times, underway: Times }} Client
 */

const textOf = (/** @type {Times} */ times) =>
  [...times.keys()]
    .toSorted(byText)
    .map((copy) => `${copy}:${times.get(copy)}`)
    .join(";");
const nameOf = (/** @type {Client} */ { jar, held, underway }) => `${jar}|${textOf(held)}|${textOf(underway)}`;

const distinct = (/** @type {Client[]} */ clients) => [
  ...new Map(clients.map((client) => [nameOf(client), client])).values(),
];

/** Everything that each client may have become when answers under way arrive at this moment. @type {(clients: Client[], now: number) => Client[]} */
const withArrivals = (clients, now) =>
  distinct(
    clients.flatMap((client) => {
      if (client.underway.size === 0) return [client];
      const held = new Map(client.held).set(client.jar, now);
      for (const copy of client.underway.keys()) held.set(copy, now);
      return [client, ...[...client.underway.keys()].map((jar) => ({ ...client, jar, held }))];
    }),
  );

const recent = (/** @type {Times} */ times, /** @type {number} */ from) =>
  new Map([...times].filter(([, at]) => at >= from));

/**
 * The clients after time has passed, in which things happen every `step` milliseconds.
 * @type {(clients: Client[], time: { from: number, to: number, step: number }) => Client[]}
 */
export const pass = (clients, { from, to, step }) => {
  let possible = clients;
  for (let now = from + step; now <= Math.min(to, from + EXCHANGE + step); now += step) {
    const left = possible.map(({ jar, held, underway }) => ({
      jar,
      // It stood in the jar until just now.
      held: recent(new Map(held).set(jar, now), now - EXCHANGE),
      underway: recent(underway, now),
    }));
    possible = withArrivals(left, now);
  }
  if (to <= from + EXCHANGE + step) return possible;
  return distinct(possible.map(({ jar }) => ({ jar, held: new Map(), underway: new Map() })));
};

/** A client that has just logged in. @returns {Client[]} */
export const loggedIn = (/** @type {string} */ copy) => [{ jar: copy, held: new Map(), underway: new Map() }];

/**
 * The clients that may have sent this copy, with the answer on its way to them; none when no honest one may.
 * @type {(clients: Client[], sent: { copy: string, answer: string | undefined, now: number }) => Client[]}
 */
export const afterRefresh = (clients, { copy, answer, now }) =>
  withArrivals(clients, now).flatMap((client) => {
    const sent = client.jar === copy ? now : client.held.get(copy);
    if (sent === undefined) return [];
    if (answer === undefined) return [client];
    const deadline = Math.max(sent + EXCHANGE, client.underway.get(answer) ?? 0);
    return [{ ...client, underway: new Map(client.underway).set(answer, deadline) }];
  });

/**
 * The clients that may have shown the access token that came with this copy.
 * @type {(clients: Client[], shown: { copy: string, now: number }) => Client[]}
 */
export const afterUse = (clients, { copy, now }) =>
  withArrivals(clients, now).filter((client) => client.jar === copy || client.held.has(copy));

/**
 * A text that is equal for clients from which the same may follow, given a name for each copy.
 * @type {(clients: Client[], name: (copy: string) => string | undefined, now: number) => string}
 */
export const clientsKey = (clients, name, now) =>
  clients
    .map(({ jar, held, underway }) => {
      const times = (/** @type {Times} */ map) =>
        [...map]
          .map(([copy, at]) => `${name(copy)}:${(at - now) / UNIT}`)
          .sort(byText)
          .join(",");
      return `${name(jar)}(${times(held)})(${times(underway)})`;
    })
    .sort(byText)
    .join("+");
