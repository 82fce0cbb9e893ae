import { createHash } from "node:crypto";
import { type RandomSource, replaceFact } from "@pawl/engine";
import { type Millis, millis, type Storage } from "@pawl/storage";

/** How long a link waits to be opened, ms. */
const LINK_VALIDITY = 300_000;
/** How long a session of the dashboard lasts, ms; nothing prolongs it. */
const SESSION_VALIDITY = 8 * 3_600_000;
/** Links and sessions at once; the oldest give way. */
const MOST = 50;
const FACT = "dashboard_access";

/** A secret that is good until a time. */
export interface Granted {
  readonly token: string;
  readonly until: Millis;
}

/** Who may use the dashboard. All nodes of a store know, and what the store holds opens nothing: secrets are kept as hashes. */
export interface DashboardAccess {
  createLink(): Promise<Granted>;
  /** Turns a link into a session. @returns undefined for one that is used, over, or none of ours. */
  open(link: string): Promise<Granted | undefined>;
  /** Whether one of these is a session that is open. */
  isOpen(sessions: readonly string[]): Promise<boolean>;
  close(session: string): Promise<void>;
}

interface Kept {
  readonly hash: string;
  readonly until: number;
}

interface KeptAccess {
  readonly links: readonly Kept[];
  readonly sessions: readonly Kept[];
}

const NOTHING: KeptAccess = { links: [], sessions: [] };

/** Secrets are 256 random bits: nobody finds one by its hash, or by how long a comparison takes. */
const hashOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

export const createDashboardAccess = (
  storage: Pick<Storage, "now" | "claimMeta" | "replaceMeta">,
  random: RandomSource,
): DashboardAccess => {
  const grant = (validity: number): Granted => ({
    token: random.bytes(32).toString("base64url"),
    until: millis(storage.now() + validity),
  });
  const kept = ({ token, until }: Granted): Kept => ({ hash: hashOf(token), until });

  const change = (edit: (access: KeptAccess) => KeptAccess): Promise<string> =>
    replaceFact(storage, FACT, {
      initial: JSON.stringify(NOTHING),
      change: (before) => {
        const { links, sessions } = JSON.parse(before) as KeptAccess;
        const isGood = ({ until }: Kept): boolean => storage.now() < until;
        const after = edit({ links: links.filter(isGood), sessions: sessions.filter(isGood) });
        return JSON.stringify({ links: after.links.slice(-MOST), sessions: after.sessions.slice(-MOST) });
      },
    });

  return {
    async createLink() {
      const link = grant(LINK_VALIDITY);
      await change(({ links, sessions }) => ({ links: [...links, kept(link)], sessions }));
      return link;
    },

    async open(link) {
      const hash = hashOf(link);
      const session = grant(SESSION_VALIDITY);
      let isOpened = false;
      await change(({ links, sessions }) => {
        isOpened = links.some((known) => known.hash === hash);
        const others = links.filter((known) => known.hash !== hash);
        return { links: others, sessions: isOpened ? [...sessions, kept(session)] : sessions };
      });
      return isOpened ? session : undefined;
    },

    async isOpen(sessions) {
      if (sessions.length === 0) return false;
      const fact = await storage.claimMeta(FACT);
      const known = fact === undefined ? [] : (JSON.parse(fact) as KeptAccess).sessions;
      const hashes = sessions.map(hashOf);
      return known.some(({ hash, until }) => hashes.includes(hash) && storage.now() < until);
    },

    async close(session) {
      const hash = hashOf(session);
      await change(({ links, sessions }) => ({ links, sessions: sessions.filter((known) => known.hash !== hash) }));
    },
  };
};
