import { StorageError } from "./errors.js";
import type { CountRecord, EventRecord, SessionRecord, SigningKeyRecord } from "./records.js";
import type { EventSelector, PageRequest, RevocationSelector, SessionSelector } from "./storage.js";

const sessionTexts = [
  "id",
  "tenantId",
  "userId",
  "secretHash",
  "payload",
  "data",
  "facts",
  "bound",
  "link",
  "subject",
  "device",
  "address",
] as const;
const eventTexts = ["key", "tenantId", "userId", "sessionId", "detail"] as const;
const signingKeyTexts = ["kid", "publicKey", "sealedPrivateKey"] as const;

/**
 * Checks that every store can keep a text to the letter: no U+0000, and no lone surrogate, which has no UTF-8 form and
 * would make two different ids one.
 * @param name what the text is, for the message; the text itself is never in it.
 * @throws StorageError `invalid_record`.
 */
export const checkText = (name: string, text: string | undefined): void => {
  if (text !== undefined && (!text.isWellFormed() || text.includes("\0")))
    throw new StorageError("invalid_record", `${name} holds U+0000 or a lone surrogate, which no store keeps`);
};

/**
 * Checks the size of a batch or a page.
 * @throws StorageError `invalid_record` unless it is a whole number of 1 or more.
 */
export const checkLimit = (limit: number): void => {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new StorageError("invalid_record", `limit must be a whole number of 1 or more, not ${String(limit)}`);
};

/** Checks the limit of a page as `checkLimit`, and where it begins as `checkText`. */
export const checkPage = ({ limit, after }: PageRequest): void => {
  checkLimit(limit);
  checkText("after", after);
};

/** Checks every text of a session, as `checkText`. */
export const checkSession = (record: SessionRecord): void => {
  for (const name of sessionTexts) checkText(name, record[name]);
};

/** Checks every text of an event, as `checkText`. */
export const checkEvent = (record: EventRecord): void => {
  for (const name of eventTexts) checkText(name, record[name]);
};

/**
 * Checks that this can name a destination of the outbox: stores write it before the key of an event.
 * @throws StorageError `invalid_record`.
 */
export const checkDestination = (id: string): void => {
  if (!/^[0-9A-Za-z]{1,32}$/.test(id))
    throw new StorageError("invalid_record", "a destination must be 1 to 32 letters and digits of ASCII");
};

/** Checks every text of a signing key, as `checkText`. */
export const checkSigningKey = (record: SigningKeyRecord): void => {
  for (const name of signingKeyTexts) checkText(name, record[name]);
};

const hour = 3_600_000;

/**
 * Checks that a count can be added to those of its hour.
 * @throws StorageError `invalid_record`.
 */
export const checkCount = (record: CountRecord): void => {
  checkText("name", record.name);
  if (Buffer.byteLength(record.name) > 128)
    throw new StorageError("invalid_record", "the name of a count has more than 128 bytes");
  if (!Number.isSafeInteger(record.hour / hour))
    throw new StorageError("invalid_record", `hour must be the beginning of an hour in ms, not ${record.hour}`);
  if (!Number.isSafeInteger(record.count) || record.count < 1)
    throw new StorageError("invalid_record", `count must be a whole number of 1 or more, not ${record.count}`);
};

/** Checks every text that rows are looked for by, as `checkText`. */
export const checkSelector = (selector: SessionSelector | EventSelector | RevocationSelector): void => {
  const texts = selector as Readonly<Record<string, string | undefined>>;
  for (const name of ["tenantId", "userId", "sessionId", "exceptId", "link", "subject"])
    checkText("a selector", texts[name]);
  if ("ids" in selector) for (const id of selector.ids) checkText("id", id);
};
