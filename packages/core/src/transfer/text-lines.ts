import { createReadStream } from "node:fs";

/** One line of a file. */
interface TextLine {
  /** From 1 on. */
  readonly number: number;
  /** Without its line end; undefined when it is longer than is taken. */
  readonly text: string | undefined;
  /** Bytes of the file up to and with this line. */
  readonly end: number;
  /** Whether a line end stands behind it. */
  readonly isWhole: boolean;
}

const LINE_END = 0x0a;

/** Reads a file line by line; no line, however long, and no file, however large, takes more memory than `maxBytes`. */
export async function* readTextLines(
  path: string,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<TextLine> {
  let number = 0;
  let end = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const line = (isWhole: boolean): TextLine => {
    const text = length > maxBytes ? undefined : Buffer.concat(parts).toString();
    number += 1;
    end += length + (isWhole ? 1 : 0);
    parts = [];
    length = 0;
    return { number, text, end, isWhole };
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_END); at !== -1; at = chunk.indexOf(LINE_END, start)) {
      parts.push(chunk.subarray(start, at));
      length += at - start;
      start = at + 1;
      yield line(true);
    }
    length += chunk.length - start;
    if (length <= maxBytes) parts.push(chunk.subarray(start));
    else parts = [];
  }
  if (length > 0) yield line(false);
}
