import {
  type EndReason,
  type Millis,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type TenantId,
  type UserId,
} from "@pawl/storage";

/**
 * A session as its hash holds it. `v` is what changes, in one text with blanks between: current, next, issued, kind of key
 * (`d` or `s`), created, last active, expires, idle end, when the sweep looks at it, ended (`-`), reason (`-`). `x` is
 * device, address, link and subject as JSON, absent where there is none of them; without link and subject it has two elements,
 * without a subject three. `f` is the key that it is bound to, U+0000, the version of the facts, the version of the payload and
 * the facts with blanks between; absent where all are those of a new session.
 */
export type Fields = readonly [
  v: string,
  h: string,
  t: TenantId,
  u: UserId,
  x: string | null,
  p: string,
  d: string,
  f: string | null,
];

/** The number of the fields that a script gives. */
export const fieldCount = 8;

const newFacts = { facts: "{}", factsVersion: 0, payloadVersion: 0, bound: "" };

const kinds = { dynamic: "d", static: "s" } as const;

/** The letter that stands for a kind of signing key; empty for none. */
export const letterOf = (kind: keyof typeof kinds | undefined): string => (kind === undefined ? "" : kinds[kind]);

/** The fields of a new row. The sweep looks at it when it expires. */
export const fieldsOf = (record: SessionRecord): Fields => [
  [
    record.current,
    record.next,
    record.issuedAt,
    letterOf(record.keyKind),
    record.createdAt,
    record.lastActiveAt,
    record.expiresAt,
    record.idleExpiresAt,
    record.expiresAt,
    record.endedAt ?? "-",
    record.endReason ?? "-",
  ].join(" "),
  record.secretHash,
  record.tenantId,
  record.userId,
  extrasOf(record),
  record.payload,
  record.data,
  factsOf(record),
];

const extrasOf = ({ device, address, link, subject }: SessionRecord): Fields[4] => {
  if (subject !== undefined) return JSON.stringify([device ?? null, address ?? null, link ?? null, subject]);
  if (link !== undefined) return JSON.stringify([device ?? null, address ?? null, link]);
  return device === undefined && address === undefined ? null : JSON.stringify([device ?? null, address ?? null]);
};

const factsOf = ({ factsVersion, payloadVersion, bound, facts }: SessionRecord): Fields[7] => {
  const text = `${bound}\u0000${factsVersion} ${payloadVersion} ${facts}`;
  return text === "\u00000 0 {}" ? null : text;
};

const readFacts = (f: string): typeof newFacts => {
  const factsVersion = f.indexOf("\0") + 1;
  const payloadVersion = f.indexOf(" ", factsVersion) + 1;
  const facts = f.indexOf(" ", payloadVersion) + 1;
  return {
    facts: f.slice(facts),
    factsVersion: Number(f.slice(factsVersion, payloadVersion)),
    payloadVersion: Number(f.slice(payloadVersion, facts)),
    bound: f.slice(0, factsVersion - 1),
  };
};

/** A session from the fields that a script gives, which begin at `first`; undefined where it gives none. */
export const recordOf = (id: SessionId, values: readonly unknown[], first = 0): SessionRecord | undefined => {
  if (values.length <= first) return undefined;
  const columns = (values[first] as string).split(" ");
  const [ended, reason] = [columns[9]!, columns[10]!];
  const x = values[first + 4] as Fields[4];
  const f = values[first + 7] as Fields[7];
  const { facts, factsVersion, payloadVersion, bound } = f === null ? newFacts : readFacts(f);
  const record: Changeable<SessionRecord> = {
    id,
    tenantId: values[first + 2] as TenantId,
    userId: values[first + 3] as UserId,
    secretHash: values[first + 1] as string,
    current: Number(columns[0]),
    next: Number(columns[1]),
    issuedAt: Number(columns[2]) as Millis,
    keyKind: columns[3] === kinds.static ? "static" : "dynamic",
    payload: values[first + 5] as string,
    data: values[first + 6] as string,
    facts,
    factsVersion,
    payloadVersion,
    bound,
    createdAt: Number(columns[4]) as Millis,
    lastActiveAt: Number(columns[5]) as Millis,
    expiresAt: Number(columns[6]) as Millis,
    idleExpiresAt: Number(columns[7]) as Millis,
  };
  if (x !== null) {
    const [device, address, link, subject] = JSON.parse(x) as readonly (string | null)[];
    if (typeof device === "string") record.device = device;
    if (typeof address === "string") record.address = address;
    if (typeof link === "string") record.link = link;
    if (typeof subject === "string") record.subject = subject;
  }
  if (ended !== "-") record.endedAt = Number(ended) as Millis;
  if (reason !== "-") record.endReason = reason as EndReason;
  return record;
};

type Changeable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Reads references that a script gives as id, tenant, user and so on. */
export const referencesOf = (flat: readonly unknown[]): readonly SessionReference[] =>
  Array.from({ length: flat.length / 3 }, (_, index) => ({
    id: flat[3 * index] as SessionId,
    tenantId: flat[3 * index + 1] as TenantId,
    userId: flat[3 * index + 2] as UserId,
  }));
