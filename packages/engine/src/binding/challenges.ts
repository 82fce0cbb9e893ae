import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { type Clock, type Millis, millis, type SessionId } from "@pawl/storage";
import { deriveKey, type MasterKey, sealingKey } from "../keys/master-key.js";
import type { MasterKeyRing } from "../keys/master-key-ring.js";
import { formatUuid } from "../random.js";

/** How long a challenge may be answered, ms. */
const CHALLENGE_VALIDITY = 300_000;

/** Which session may be bound, and as long as which of its refresh tokens is the newest. */
export interface Registrable {
  readonly id: SessionId;
  readonly next: number;
}

/** Makes and recognises what browsers have to sign. Nothing is stored: a challenge says itself what it is. */
export interface Challenges {
  toRegister(session: Registrable): string;
  toRefresh(id: SessionId): string;
  /** What may be bound by it; undefined for all but a challenge to register that is ours, and not too old. */
  registrable(challenge: string): Registrable | undefined;
  /** Whether it is one of ours to refresh this session, and not too old. */
  refreshes(challenge: string, id: SessionId): boolean;
}

/** Key id, time, MAC. */
const TIME_AT = 1;
const HEAD_BYTES = TIME_AT + 6;
const MAC_BYTES = 16;
/** Behind the head of a challenge to register: session id, number. It comes without a cookie where the login came from another site. */
const NUMBER_AT = HEAD_BYTES + 16;
const REGISTER_BYTES = NUMBER_AT + 6;

/** Challenges are MACs (HMAC-SHA256, 128 bits) over session, purpose and time, by a key of the master key's. */
export const createChallenges = (ring: Pick<MasterKeyRing, "keys">, clock: Clock): Challenges => {
  const prepared = new WeakMap<MasterKey, KeyObject>();
  const keyOf = (master: MasterKey): KeyObject => {
    const key = prepared.get(master) ?? deriveKey(master, "device challenge");
    prepared.set(master, key);
    return key;
  };

  const macOf = (master: MasterKey, said: Buffer, purpose: string): Buffer =>
    createHmac("sha256", keyOf(master)).update(said).update(purpose).digest().subarray(0, MAC_BYTES);

  const written = (said: Buffer, purpose: string): string => {
    const master = sealingKey(ring.keys);
    said.writeUInt8(master.id, 0);
    said.writeUIntBE(clock.now(), TIME_AT, 6);
    return Buffer.concat([said, macOf(master, said, purpose)]).toString("base64url");
  };

  /** What a challenge says, where it is one of ours. */
  const read = (challenge: string, length: number, purpose: string): Buffer | undefined => {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== length + MAC_BYTES || bytes.toString("base64url") !== challenge) return undefined;
    const said = bytes.subarray(0, length);
    const master = ring.keys.find((key) => key.id === said[0]);
    if (master === undefined || !timingSafeEqual(macOf(master, said, purpose), bytes.subarray(length)))
      return undefined;
    // Nodes may differ a little in what time it is: a challenge of another one may lie ahead.
    return isNear(millis(said.readUIntBE(TIME_AT, 6)), clock.now()) ? said : undefined;
  };

  return {
    toRegister({ id, next }) {
      const said = Buffer.alloc(REGISTER_BYTES);
      said.write(id.replaceAll("-", ""), HEAD_BYTES, 16, "hex");
      said.writeUIntBE(next, NUMBER_AT, 6);
      return written(said, "register");
    },
    toRefresh: (id) => written(Buffer.alloc(HEAD_BYTES), `refresh ${id}`),

    registrable(challenge) {
      const said = read(challenge, REGISTER_BYTES, "register");
      if (said === undefined) return undefined;
      const id = formatUuid(said.subarray(HEAD_BYTES, NUMBER_AT)) as SessionId;
      return { id, next: said.readUIntBE(NUMBER_AT, 6) };
    },
    refreshes: (challenge, id) => read(challenge, HEAD_BYTES, `refresh ${id}`) !== undefined,
  };
};

const isNear = (time: Millis, now: Millis): boolean => Math.abs(now - time) <= CHALLENGE_VALIDITY;
