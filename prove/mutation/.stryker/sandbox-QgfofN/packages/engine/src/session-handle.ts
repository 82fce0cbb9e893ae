import {
  bucketOfUser,
  PUBLIC_TENANT,
  type SessionId,
  type SessionReference,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { formatUuidV4, type RandomSource } from "./random.js";
import type { SessionHandle } from "./session.js";

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const TENANT = "[a-z0-9-]{1,64}";
const HANDLE = new RegExp(`^(${UUID})(?:_(${TENANT}))?$`);
const WHOLE_TENANT = new RegExp(`^${TENANT}$`);

/** Whether a text can name a tenant: 1 to 64 of `a-z`, `0-9` and `-`, so that it can stand in a handle and in a path. */
export const isTenantId = (text: string): text is TenantId => WHOLE_TENANT.test(text);

/** A new session id: the bucket of (tenant, user) in 16 bits, the rest random; a UUID of version 4 in form. */
export const newSessionId = (
  owner: { readonly tenantId: TenantId; readonly userId: UserId },
  random: RandomSource,
): SessionId => {
  const bytes = random.bytes(16);
  bytes.writeUInt16BE(bucketOfUser(owner));
  return formatUuidV4(bytes) as SessionId;
};

/** The public name of a session. */
export const handleOf = ({ id, tenantId }: Pick<SessionReference, "id" | "tenantId">): SessionHandle =>
  (tenantId === PUBLIC_TENANT ? id : `${id}_${tenantId}`) as SessionHandle;

/** Reads a handle; anything but the exact form that `handleOf` writes names no session. */
export const parseHandle = (handle: string): Pick<SessionReference, "id" | "tenantId"> | undefined => {
  const match = HANDLE.exec(handle);
  if (match === null || match[2] === PUBLIC_TENANT) return undefined;
  return { id: match[1] as SessionId, tenantId: (match[2] ?? PUBLIC_TENANT) as TenantId };
};
