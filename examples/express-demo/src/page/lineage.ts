/** Who holds a refresh token: this browser, or the thief with a copied cookie. */
export type Holder = "you" | "thief";

/** One refresh token as one holder received it. */
export interface HeldToken {
  readonly holder: Holder;
  readonly seq: number;
  readonly fingerprint?: string | undefined;
  /** When the access token that came with it was issued, ms of the server's clock; absent for a copy. */
  readonly issuedAt?: number;
  /** The token that was handed in for it; absent for a login and for the first one this page saw. */
  readonly from?: Pick<HeldToken, "holder" | "seq" | "delivery"> | undefined;
  readonly how: "login" | "seen" | "refresh" | "copied";
  /** A copy without the key of the device that the session is bound to. */
  readonly isWorthless?: boolean;
  /** `lost`: the answer that carried it never arrived. `asked_again`: it arrived with a repeated request. */
  readonly delivery: "arrived" | "lost" | "asked_again";
}

/** How the session ended, when it did. */
type LineageEnd =
  | { readonly kind: "theft"; readonly by: Holder; readonly seq: number }
  | { readonly kind: "ended"; readonly label: string };

/**
 * What the page knows of a session's refresh tokens. `confirmed` is the newest one that is known to have been used, as
 * far as the page can tell from outside: those below it are dead for ever.
 */
export interface Lineage {
  readonly tokens: readonly HeldToken[];
  readonly confirmed: number;
  readonly newest: number;
  readonly end?: LineageEnd;
}

type TokenState = "newest" | "accepted" | "spent";

/** Whether the token is the newest, the newest that was used (still good in case its successor was lost), or dead. */
export const stateOf = (lineage: Lineage, seq: number): TokenState =>
  seq === lineage.newest ? "newest" : seq === lineage.confirmed ? "accepted" : "spent";

/** The token a holder received last. */
export const heldBy = (lineage: Lineage, holder: Holder): HeldToken | undefined =>
  lineage.tokens.findLast((token) => token.holder === holder && token.delivery !== "lost");

/** What an answer carried. */
interface ReceivedToken {
  readonly seq: number;
  readonly fingerprint: string | undefined;
  readonly issuedAt: number;
}

/** A lineage that begins: at a login with its first token, after a reload with the one that the cookie holds. */
export const beginLineage = (received: ReceivedToken, how: "login" | "seen"): Lineage => ({
  tokens: [{ holder: "you", ...received, how, delivery: "arrived" }],
  confirmed: how === "login" ? received.seq : Math.max(0, received.seq - 1),
  newest: received.seq,
});

/** The holder handed in its token and received another, or within the reuse window the same. */
export const turn = (lineage: Lineage, holder: Holder, received: ReceivedToken): Lineage => {
  const { seq } = received;
  const before = heldBy(lineage, holder);
  const lost = lineage.tokens.find(
    (token) => token.holder === holder && token.seq === seq && token.delivery === "lost",
  );
  // A lost successor is a guess of the page; an answer that names a lower number shows that there was none.
  const others = lineage.tokens.filter(
    (token) => (token.holder !== holder || token.seq !== seq) && !(token.delivery === "lost" && token.seq > seq),
  );
  // Within the reuse window the newest token comes back as a new copy of itself.
  const token: HeldToken =
    before?.seq === seq
      ? { ...before, ...received }
      : {
          holder,
          ...received,
          from: before,
          how: "refresh",
          delivery: lost === undefined ? "arrived" : "asked_again",
        };
  const moved = before !== undefined && seq > before.seq;
  const tokens = [...others, token];
  return {
    ...lineage,
    tokens,
    confirmed: moved ? Math.max(lineage.confirmed, before.seq) : lineage.confirmed,
    newest: Math.max(...tokens.map((token) => token.seq)),
  };
};

/** The server turned this browser's token, but the answer did not arrive. */
export const loseAnswer = (lineage: Lineage): Lineage => {
  const before = heldBy(lineage, "you");
  if (before === undefined) return lineage;
  const seq = lineage.newest + 1;
  if (lineage.tokens.some((token) => token.delivery === "lost" && token.from?.seq === before.seq)) return lineage;
  return {
    ...lineage,
    tokens: [...lineage.tokens, { holder: "you", seq, from: before, how: "refresh", delivery: "lost" }],
    confirmed: Math.max(lineage.confirmed, before.seq),
    newest: seq,
  };
};

/** The thief copied the token that this browser holds. An earlier copy is forgotten, its traces stay. */
export const copyToken = (
  lineage: Lineage,
  { fingerprint, isWorthless }: { readonly fingerprint: string; readonly isWorthless: boolean },
): Lineage => {
  const original = heldBy(lineage, "you");
  if (original === undefined) return lineage;
  const tokens = lineage.tokens.filter((token) => token.holder !== "thief" || token.seq !== original.seq);
  return {
    ...lineage,
    tokens: [
      ...tokens,
      {
        holder: "thief",
        seq: original.seq,
        fingerprint,
        from: original,
        how: "copied",
        isWorthless,
        delivery: "arrived",
      },
    ],
  };
};

/** A call later than the reuse window showed that the newest token has arrived: its predecessors are dead. */
export const confirmNewest = (lineage: Lineage, seq: number): Lineage =>
  seq === lineage.newest ? { ...lineage, confirmed: seq } : lineage;

/** The session is over; nothing more is added. */
export const endLineage = (lineage: Lineage, end: LineageEnd): Lineage =>
  lineage.end === undefined ? { ...lineage, end } : lineage;
