import { createHash } from "node:crypto";

/** The width in bytes of the columns that rows are found by. */
const width = 512;

/** In no UTF-8 text, so that the key of a long text is never the one of a short text. */
const mark = Buffer.of(0xff);

const prefixWidth = width - mark.length - 32;

/** Whether a text is too long to be its own key. A character of JavaScript is three bytes of UTF-8 at most. */
const isLong = (text: string): boolean => text.length * 3 > width && Buffer.byteLength(text) > width;

/**
 * What an index holds of a text: the text itself in UTF-8, which is compared byte by byte; of one longer than 512 bytes
 * its beginning and its SHA-256, since an index of InnoDB cannot hold it. The text then stands in the column `long_texts`.
 */
export const keyOf = (text: string): string | Buffer =>
  isLong(text)
    ? Buffer.concat([Buffer.from(text).subarray(0, prefixWidth), mark, createHash("sha256").update(text).digest()])
    : text;

type Texts = Readonly<Record<string, string | undefined>>;

/** The value of `long_texts`: those of the named texts that are too long to be their own key, as JSON; null if none is. */
export const longTextsOf = (texts: Texts): string | null => {
  let long: Record<string, string> | undefined;
  for (const name in texts) {
    const text = texts[name];
    if (text !== undefined && isLong(text)) (long ??= {})[name] = text;
  }
  return long === undefined ? null : JSON.stringify(long);
};

const columns: Readonly<Record<string, string>> = { tenantId: "tenant_id", userId: "user_id", sessionId: "session_id" };

/** Turns the bytes of every text column into its text, long ones from `long_texts`, in place. */
export const decodeTexts = (row: object): object => {
  const cells = row as Record<string, unknown>;
  const long = cells["long_texts"];
  for (const name in cells) if (Buffer.isBuffer(cells[name])) cells[name] = cells[name].toString();
  if (Buffer.isBuffer(long))
    for (const [name, text] of Object.entries(JSON.parse(long.toString()) as Texts))
      cells[columns[name] ?? name] = text;
  return cells;
};
