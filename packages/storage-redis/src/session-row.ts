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
 * device and address as JSON, absent where there is neither.
 */
export type Fields = readonly [v: string, h: string, t: TenantId, u: UserId, x: string | null, p: string, d: string];

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
  record.device === undefined && record.address === undefined
    ? null
    : JSON.stringify([record.device ?? null, record.address ?? null]),
  record.payload,
  record.data,
];

export const recordOf = (id: SessionId, [v, secretHash, tenantId, userId, x, payload, data]: Fields): SessionRecord => {
  const columns = v.split(" ");
  const number = (index: number): Millis => Number(columns[index]) as Millis;
  const [device, address] = x === null ? [] : (JSON.parse(x) as readonly (string | null)[]);
  const [endedAt, endReason] = [columns[9], columns[10]];
  return {
    id,
    tenantId,
    userId,
    secretHash,
    current: number(0),
    next: number(1),
    issuedAt: number(2),
    keyKind: columns[3] === kinds.static ? "static" : "dynamic",
    payload,
    data,
    ...(typeof device === "string" ? { device } : {}),
    ...(typeof address === "string" ? { address } : {}),
    createdAt: number(4),
    lastActiveAt: number(5),
    expiresAt: number(6),
    idleExpiresAt: number(7),
    ...(endedAt === undefined || endedAt === "-" ? {} : { endedAt: number(9) }),
    ...(endReason === undefined || endReason === "-" ? {} : { endReason: endReason as EndReason }),
  };
};

/** Reads references that a script gives as id, tenant, user and so on. */
export const referencesOf = (flat: readonly unknown[]): readonly SessionReference[] =>
  Array.from({ length: flat.length / 3 }, (_, index) => ({
    id: flat[3 * index] as SessionId,
    tenantId: flat[3 * index + 1] as TenantId,
    userId: flat[3 * index + 2] as UserId,
  }));
