import { hkdfSync } from "node:crypto";
import { bucketOfUser, type MetaRecord, type SessionId, type Storage, type TenantId, type UserId } from "@pawl/storage";
import { readAllPages } from "../all-pages.js";
import { EngineError } from "../errors.js";
import { createMasterKeyRing, type MasterKeyRingOptions } from "../keys/master-key-ring.js";
import { type MasterKey, openBytes, sealBytes, sealedWith } from "../keys/master-key.js";
import { formatUuidV4, type RandomSource } from "../random.js";
import { hexHash } from "./supertokens-token.js";

/** A core whose sessions were imported. */
export interface ImportedCore {
  /** Opens the refresh tokens that it handed out. */
  readonly refreshTokenKey: string;
  /** 32 bytes, made at the import: the secrets of its sessions here are derived from it and from what the core knew. */
  readonly secret: Buffer;
}

interface Sealing {
  readonly masterKeys: readonly MasterKey[];
  readonly random: RandomSource;
}

/** One for each core, named by a hash of its key: a further import of the same core finds it. */
const PREFIX = "imported_core_";
const purposeOf = (name: string) => ({ label: "imported core", name });

const parse = (plain: Buffer): ImportedCore => {
  const { refreshTokenKey, secret } = JSON.parse(plain.toString()) as Record<"refreshTokenKey" | "secret", string>;
  return { refreshTokenKey, secret: Buffer.from(secret, "base64url") };
};

/**
 * Remembers a core whose sessions are about to be imported, sealed with the master key that seals; one that is known already
 * stays as it is.
 * @param options.refreshTokenKey as the core's table `key_value` holds it.
 * @throws EngineError `master_key_missing`, `master_key_wrong`, `master_key_invalid`.
 */
export const claimImportedCore = async ({
  refreshTokenKey,
  ...options
}: Omit<MasterKeyRingOptions, "readMasterKeys"> & { readonly refreshTokenKey: string }): Promise<ImportedCore> => {
  const { storage, random } = options;
  const { keys: masterKeys } = await createMasterKeyRing({ ...options, readMasterKeys: undefined });
  const name = PREFIX + hexHash(refreshTokenKey).slice(0, 16);
  const fresh = { refreshTokenKey, secret: random.bytes(32).toString("base64url") };
  const sealed = sealBytes(Buffer.from(JSON.stringify(fresh)), purposeOf(name), { masterKeys, random });
  return parse(openBytes(await storage.claimMeta(name, sealed), purposeOf(name), masterKeys));
};

/** Imported cores as they are stored. */
export const listImportedCores = (storage: Pick<Storage, "listMeta">): Promise<readonly MetaRecord[]> =>
  readAllPages((page) => storage.listMeta(PREFIX, page));

/**
 * The cores whose sessions were imported.
 * @param keysFor gives the master keys, among them the one of an id where it can be had.
 * @throws EngineError `master_key_wrong` when the one that sealed a core is not there.
 */
export const readImportedCores = async (
  storage: Pick<Storage, "listMeta">,
  keysFor: (id: number | undefined) => Promise<readonly MasterKey[]>,
): Promise<readonly ImportedCore[]> => {
  const cores: ImportedCore[] = [];
  for (const { name, value } of await listImportedCores(storage))
    cores.push(parse(openBytes(value, purposeOf(name), await keysFor(sealedWith(value)))));
  return cores;
};

/**
 * Lets a store know of imported cores, for sessions of theirs that are moved to it.
 * @throws EngineError `invalid_input` when the store has imported one of them itself: its sessions are other ones there.
 */
export const addImportedCores = async (
  storage: Pick<Storage, "claimMeta">,
  cores: readonly MetaRecord[],
): Promise<void> => {
  for (const { name, value } of cores)
    if (!name.startsWith(PREFIX) || (await storage.claimMeta(name, value)) !== value)
      throw new EngineError("invalid_input", `the store has another fact ${name}: it has imported that core itself`);
};

/** Whether a master key seals a core that was imported. */
export const sealsImportedCore = async (storage: Pick<Storage, "listMeta">, id: number): Promise<boolean> =>
  (await listImportedCores(storage)).some(({ value }) => sealedWith(value) === id);

/** Seals with the first master key what is sealed with another one. */
export const resealImportedCores = async (
  storage: Pick<Storage, "listMeta" | "replaceMeta">,
  { masterKeys, random }: Sealing,
): Promise<void> => {
  for (const { name, value } of await listImportedCores(storage)) {
    if (sealedWith(value) === masterKeys[0]?.id) continue;
    const plain = openBytes(value, purposeOf(name), masterKeys);
    await storage.replaceMeta(name, value, sealBytes(plain, purposeOf(name), { masterKeys, random }));
  }
};

/** What names a session in the core that it came from. */
interface SessionName {
  readonly sessionHandle: string;
  readonly tenantId: string;
  readonly userId: string;
}

const derive = (core: ImportedCore, label: string, texts: readonly string[], size: number): Buffer =>
  Buffer.from(hkdfSync("sha256", core.secret, "", `pawl imported ${label} 1 ${texts.map(hexHash).join(" ")}`, size));

/** The id of an imported session: always the same, so that its tokens find it and no import doubles it. */
export const importedSessionId = (core: ImportedCore, { sessionHandle, tenantId, userId }: SessionName): SessionId => {
  const bytes = derive(core, "session id", [sessionHandle], 16);
  bytes.writeUInt16BE(bucketOfUser({ tenantId: tenantId as TenantId, userId: userId as UserId }));
  return formatUuidV4(bytes) as SessionId;
};

/**
 * The secret of an imported session (32 bytes), which whoever holds its newest token of before can have made here.
 * @param hash2 of that token.
 */
export const importedSecret = (core: ImportedCore, sessionHandle: string, hash2: string): Buffer =>
  derive(core, "session secret", [sessionHandle, hash2], 32);
