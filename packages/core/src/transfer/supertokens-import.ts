import { EngineError, handleOf, type ImportedCore, importedSession, type Policy } from "@pawl/engine";
import type { Millis, SessionRecord, Storage } from "@pawl/storage";
import type { FoundSession, SuperTokensSource } from "./supertokens-source.js";

/** Length of the payloads and data that are written in one step. */
const BATCH_LENGTH = 4_000_000;

/** What became of the sessions of a core. */
export interface TakenOver {
  /** All that its table holds. */
  readonly sessions: number;
  readonly imported: number;
  /** Of an import before this one; left as they were. */
  readonly present: number;
  /** Of those, the ones that the core has refreshed since: their newest tokens will look like stolen ones. */
  readonly changed: number;
  readonly expired: number;
  /** How many were refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** One session in the report. Those that had expired are not told. */
export interface ReportLine {
  /** Its handle in the core. */
  readonly old: string;
  /** Its handle here. */
  readonly new?: string;
  readonly outcome: "imported" | "present" | "changed" | "refused";
  readonly reason?: string;
}

export interface TakeOverOptions {
  readonly core: ImportedCore;
  /** Absent: nothing is written. */
  readonly storage: Pick<Storage, "importSessions" | "getSession"> | undefined;
  readonly policy: Policy;
  readonly now: () => Millis;
  readonly report: (lines: readonly ReportLine[]) => Promise<void>;
  readonly onProgress: (sessions: number) => void;
}

interface Candidate {
  readonly old: string;
  readonly record: SessionRecord;
}

/**
 * Takes over the sessions of a core, in bounded memory. After an interruption it is called again: it comes to the same
 * sessions, and leaves those alone that are there.
 */
export const takeOver = async (source: SuperTokensSource, options: TakeOverOptions): Promise<TakenOver> => {
  const { storage, report, onProgress } = options;
  const counts = { sessions: 0, imported: 0, present: 0, changed: 0, expired: 0 };
  const refused: Record<string, number> = {};

  const outcomeOf = async ({ record }: Candidate, isInserted: boolean): Promise<ReportLine["outcome"]> => {
    if (isInserted) return "imported";
    return (await storage?.getSession(record.id))?.secretHash === record.secretHash ? "present" : "changed";
  };

  for await (const page of source.pages()) {
    const lines: ReportLine[] = [];
    const candidates: Candidate[] = [];
    for (const session of page) {
      const judged = judge(session, options);
      if (judged === "expired") counts.expired += 1;
      else if ("record" in judged) candidates.push(judged);
      else {
        refused[judged.reason] = (refused[judged.reason] ?? 0) + 1;
        lines.push({ ...judged, outcome: "refused" });
      }
    }
    for (const batch of batches(candidates)) {
      const inserted = await storage?.importSessions(batch.map(({ record }) => record));
      const outcomes = await Promise.all(
        batch.map(async (candidate, index) => ({
          ...candidate,
          outcome: await outcomeOf(candidate, inserted?.[index] ?? true),
        })),
      );
      for (const { old, record, outcome } of outcomes) {
        counts[outcome === "imported" ? "imported" : "present"] += 1;
        if (outcome === "changed") counts.changed += 1;
        lines.push({ old, new: handleOf(record), outcome });
      }
    }
    counts.sessions += page.length;
    await report(lines);
    onProgress(counts.sessions);
  }
  return { ...counts, refused };
};

const judge = (
  session: FoundSession,
  { core, policy, now }: Pick<TakeOverOptions, "core" | "policy" | "now">,
): Candidate | "expired" | { readonly old: string; readonly reason: string } => {
  if (session.refused !== undefined) return { old: session.handle, reason: session.refused };
  const { original } = session;
  const old = original.sessionHandle;
  try {
    const record = importedSession(core, original, { now: now(), policy });
    return record.expiresAt <= now() ? "expired" : { old, record };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { old, reason: error.message };
  }
};

/** Pieces that a store takes in one step. */
function* batches(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  let batch: Candidate[] = [];
  let length = 0;
  for (const candidate of candidates) {
    const { payload, data } = candidate.record;
    length += payload.length + data.length;
    if (batch.length > 0 && length > BATCH_LENGTH) {
      yield batch;
      batch = [];
      length = payload.length + data.length;
    }
    batch.push(candidate);
  }
  if (batch.length > 0) yield batch;
}
