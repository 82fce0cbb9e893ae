// Durations are ms, lengths characters.

/** For an answer to its last byte, and for a feed to what has happened so far. */
export const DEADLINE = 3000;
/** Of what is read at once: a hundred key sets of ours, and the greatest token that there is. */
export const LONGEST = 65_536;
/** How many verified tokens are remembered. */
export const MOST_TOKENS = 5000;
export const MINIMUM_RSA_BITS = 2048;

/** A key is published for a minute before it signs: so old the keys are read again. */
export const FRESH = 60_000;
/** So old they are used while they cannot be read: by then what they had signed has run out. */
export const STALE = 3_600_000;
/** Between two readings, however many tokens name unknown keys. */
export const PAUSE = 1000;
/** How far the clock of this machine may be behind that of the core. */
export const TOLERANCE = 60_000;

/** The core sends a comment every 15 s; after so long a silence the feed counts as cut, */
export const DOUBTFUL_SILENCE = 20_000;
/** and after so long a silence another connection is made. */
export const SILENCE = 45_000;
export const SHORTEST_PAUSE = 100;
export const LONGEST_PAUSE = 10_000;
/** How far the clocks may differ by which changes and access tokens are dated. */
export const SKEW = 30_000;
/** How much longer than an access token lives what was heard is kept: room for clocks that differ. */
export const ROOM = 60_000;
