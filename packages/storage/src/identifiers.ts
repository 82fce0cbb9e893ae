import { hash } from "node:crypto";

declare const brand: unique symbol;

/** A type that cannot be mixed up with another of the same shape. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * The key of a session row: a lower-case UUID whose first 16 bits are the bucket of (tenant, user).
 * The public *session handle* is this id, with `_<tenant>` appended for a tenant other than `public`.
 */
export type SessionId = Branded<string, "SessionId">;

/** The application's name of a user: any non-empty text without U+0000, compared byte by byte in UTF-8. */
export type UserId = Branded<string, "UserId">;

/** The tenant of a session; `public` where the application has only one. */
export type TenantId = Branded<string, "TenantId">;

/** A point in time or a duration, in whole milliseconds; a point counts from the Unix epoch. */
export type Millis = Branded<number, "Millis">;

export const PUBLIC_TENANT = "public" as TenantId;

/** A time that never comes: the greatest time a JavaScript `Date` can hold. */
export const NEVER = 8_640_000_000_000_000 as Millis;

/** Marks a number as milliseconds. */
export const millis = (value: number): Millis => value as Millis;

/** The bucket of a session, 0 to 65535: the first 16 bits of its id. All sessions of a user share one. */
export const bucketOf = (id: SessionId): number => Number.parseInt(id.slice(0, 4), 16);

/**
 * The bucket that the ids of a user's sessions begin with, 0 to 65535: the first 16 bits of SHA-256 over tenant and user,
 * each behind its length in bytes as a 32-bit number, so that no two owners read alike. Frozen: it says where rows stand.
 */
export const bucketOfUser = ({
  tenantId,
  userId,
}: {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}): number => {
  const parts = [tenantId, userId].flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Number.parseInt(hash("sha256", Buffer.concat(parts), "hex").slice(0, 4), 16);
};
