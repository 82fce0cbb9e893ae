/**
 * What a user has to prove before a request is answered: the parameters of the challenge by their names (RFC 9470 section
 * 3), which an OpenID Connect request has too.
 */
export interface WebStepUp {
  /** How many seconds ago they may have done so. */
  readonly max_age?: string;
  /** How sure it has to be, in the server's words: one of these, separated by blanks, the best first. */
  readonly acr_values?: string;
  /** How it has to be proved, as RFC 8176 names it: all of these, separated by blanks. Pawl's own. */
  readonly amr_values?: string;
}

/** What an answer wants proved; undefined where it wants nothing. */
export const stepUpOf = ({ headers }: Response): WebStepUp | undefined => {
  const challenge = headers.get("www-authenticate")!;
  if (!/insufficient_user/.test(challenge)) return undefined;
  // A match is a name, with its value behind it.
  return Object.fromEntries(challenge.matchAll(/\w+(?=="([^"]*))/g) as Iterable<never>);
};
