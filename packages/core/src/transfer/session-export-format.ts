import { createHash, type Hash } from "node:crypto";
import { type MasterKeyNeed, providerLoginOf } from "@pawl/engine";
import type { MetaRecord, SessionRecord, TenantId } from "@pawl/storage";
import { compileValidator } from "../dialects/v1/validator.js";
import { isJsonObject } from "../server/json-object.js";

/** Bytes that a line may have: a payload and data of the greatest size, escaped. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The first line of an export. */
export interface ExportHeader {
  readonly format: "pawl-sessions";
  readonly version: 1;
  /** Milliseconds since 1970. */
  readonly exportedAt: number;
  /** The master keys that the refresh tokens of the sessions were sealed with. */
  readonly masterKeys: readonly MasterKeyNeed[];
  /** The one tenant that was exported; absent: all. */
  readonly tenantId?: TenantId | undefined;
  /** Sealed: what opens the tokens of cores whose sessions were imported. */
  readonly importedCores?: readonly MetaRecord[] | undefined;
}

/**
 * One line of an export: the first one, one session as it is stored, a place from which an interrupted export goes on, or
 * the end, which counts the sessions and holds the SHA-256 of all bytes before it.
 */
export type ExportLine =
  | { readonly kind: "header"; readonly header: ExportHeader }
  | { readonly kind: "session"; readonly record: SessionRecord }
  | { readonly kind: "checkpoint"; readonly after: string }
  | { readonly kind: "end"; readonly sessions: number; readonly sha256: string };

const text = { type: "string" } as const;
const filled = { type: "string", minLength: 1 } as const;
const whole = { type: "integer", minimum: 0 } as const;
const anyObject = { type: "object" } as const;

const need = {
  type: "object",
  required: ["id", "check", "neededUntil"],
  properties: { id: whole, check: filled, neededUntil: whole },
} as const;

/** Columns that exports of earlier releases do not have, as sessions of theirs have them. */
const later = { facts: "{}", factsVersion: 0, payloadVersion: 0, bound: "" } as const;

const columns = {
  id: filled,
  tenantId: filled,
  userId: filled,
  secretHash: filled,
  current: whole,
  next: whole,
  issuedAt: whole,
  keyKind: { enum: ["dynamic", "static"] },
  payload: text,
  data: text,
  createdAt: whole,
  lastActiveAt: whole,
  expiresAt: whole,
  idleExpiresAt: whole,
} as const;

const optionalColumns = {
  facts: text,
  factsVersion: whole,
  payloadVersion: whole,
  bound: text,
  link: text,
  subject: text,
  device: text,
  address: text,
} as const;

const members = (properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) => ({
  type: "object",
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
  additionalProperties: false,
});

const object = (...given: Parameters<typeof members>) => compileValidator(members(...given));

/** What the engine keeps in `facts`: whoever reads it there trusts it. */
const facts = {
  auth: members({ at: whole, methods: { type: "array", items: filled } }, { level: filled }),
  act: members({ userId: filled, payload: anyObject, data: anyObject, reason: filled, at: whole, until: whole }),
} as const;

/** Reads lines of an export. */
export const createLineReader = (): ((line: string) => ExportLine | string) => {
  const complain = {
    header: object(
      { format: text, version: whole, exportedAt: whole, masterKeys: { type: "array", items: need } },
      {
        tenantId: filled,
        importedCores: { type: "array", items: members({ name: filled, value: filled }) },
      },
    ),
    session: object(columns, optionalColumns),
    facts: object({}, facts),
    checkpoint: object({ after: filled }),
    end: object({ end: { const: true }, sessions: whole, sha256: filled }),
  };
  const checked = (kind: "header" | "checkpoint" | "end", value: unknown, line: ExportLine): ExportLine | string =>
    complain[kind](value) ?? line;

  return (line) => {
    let value: Readonly<Record<string, unknown>>;
    try {
      value = JSON.parse(line) as typeof value;
    } catch {
      return "no JSON: it was cut off or changed";
    }
    if (!isJsonObject(value)) return "no JSON object";
    if ("format" in value) {
      if (value["format"] !== "pawl-sessions") return "no export of sessions";
      if (value["version"] !== 1) return "an export of a newer release: import it with that one";
      return checked("header", value, { kind: "header", header: value as unknown as ExportHeader });
    }
    if ("after" in value) return checked("checkpoint", value, { kind: "checkpoint", after: String(value["after"]) });
    if ("end" in value)
      return checked("end", value, {
        kind: "end",
        sessions: Number(value["sessions"]),
        sha256: String(value["sha256"]),
      });
    const record: SessionRecord = { ...later, ...(value as unknown as SessionRecord) };
    const wrong =
      complain.session(value) ?? textFault(record) ?? within("facts", complain.facts(JSON.parse(record.facts)));
    return wrong ?? { kind: "session", record };
  };
};

/** Payload, data and facts are JSON objects as text; a row that holds another one would fail its next refresh or reading. */
const textFault = (record: SessionRecord): string | undefined => {
  const { payload, data, facts, current, next } = record;
  for (const [name, json] of Object.entries({ payload, data, facts })) {
    if (!holdsJsonObject(json)) return `${name}: must be a JSON object as text`;
  }
  if (current > next) return "current: must not be greater than next";
  return holdsLogin(record) ? undefined : "link, subject: must be what an identity provider calls a login";
};

const holdsLogin = (record: SessionRecord): boolean => {
  try {
    providerLoginOf(record);
    return true;
  } catch {
    return false;
  }
};

const within = (name: string, wrong: string | undefined): string | undefined => wrong && `${name}: ${wrong}`;

const holdsJsonObject = (json: string): boolean => {
  try {
    return isJsonObject(JSON.parse(json));
  } catch {
    return false;
  }
};

/** Writes a line: the first one, a session, or a checkpoint. */
export const formatLine = (line: ExportHeader | SessionRecord | { readonly after: string }): string =>
  `${JSON.stringify(line)}\n`;

/** What has been written or read so far: enough for the last line, and to go on from here. */
export interface ExportSum {
  readonly sessions: number;
  readonly hash: Hash;
}

export const emptySum = (): ExportSum => ({ sessions: 0, hash: createHash("sha256") });

export const formatEnd = ({ sessions, hash }: ExportSum): string =>
  `${JSON.stringify({ end: true, sessions, sha256: hash.copy().digest("hex") })}\n`;
