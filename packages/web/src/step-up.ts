/** What a user has to prove before a request is answered (RFC 9470). */
export interface WebStepUp {
  /** How long ago they may have done so, in seconds. */
  readonly maxAge?: number | undefined;
  /** How sure it has to be, in the server's words (`acr`): one of these, best first. */
  readonly levels: readonly string[];
  /** How it has to be proved, as RFC 8176 names it: all of these. */
  readonly methods: readonly string[];
}

/** What an answer wants proved; undefined where it wants nothing. */
export const stepUpOf = ({ headers }: Response): WebStepUp | undefined => {
  const challenge = headers.get("www-authenticate");
  if (!challenge?.includes("insufficient_user_authentication")) return undefined;
  const read = (name: string): readonly string[] =>
    new RegExp(`${name}="([^"]+)`).exec(challenge)?.[1]?.split(" ") ?? [];
  const [maxAge] = read("max_age");
  return { maxAge: maxAge ? Number(maxAge) : undefined, levels: read("acr_values"), methods: read("amr_values") };
};
