import { PassThrough } from "node:stream";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { expect, onTestFinished, test, vi } from "vitest";
import { type BodyOutcome, readBody } from "../../src/server/request-body.js";

/** Reads the pieces of a body of at most eight bytes. @returns every outcome, and whether all pieces were taken. */
const read = async (headers: IncomingHttpHeaders, pieces: readonly (string | Uint8Array)[], limit = 8) => {
  const stream = new PassThrough();
  const outcomes: BodyOutcome[] = [];
  readBody(Object.assign(stream, { headers }) as unknown as IncomingMessage, limit, (outcome) =>
    outcomes.push(outcome),
  );
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise(setImmediate);
  }
  stream.end();
  await new Promise(setImmediate);
  return { outcomes, isTaken: stream.readableEnded };
};
const chunked = { "transfer-encoding": "chunked" };
const euro = Buffer.from("€");

test.each<readonly [string, IncomingHttpHeaders, readonly (string | Uint8Array)[], BodyOutcome]>([
  ["in one piece", { "content-length": "4" }, ["text"], { text: "text" }],
  ["in pieces, cut within a character", chunked, [euro.subarray(0, 1), euro.subarray(1), "!"], { text: "€!" }],
  ["of no bytes", chunked, [], { text: "" }],
  ["as large as allowed", { "content-length": "8" }, ["12345678"], { text: "12345678" }],
  ["larger, as it says", { "content-length": "9" }, ["123456789"], "too_large"],
  ["larger, as is found", chunked, ["12345678", "9", "and more"], "too_large"],
  ["that is no UTF-8", chunked, [new Uint8Array([0x61, 0xff])], "not_text"],
])("a body %s is told once, and taken whatever comes of it", async (_, headers, pieces, outcome) => {
  expect(await read(headers, pieces)).toEqual({ outcomes: [outcome], isTaken: true });
});

test("a body in more pieces than are kept apart is joined now and then, and comes out as it went in", async () => {
  const joined = vi.spyOn(Buffer, "concat");
  onTestFinished(() => joined.mockRestore());
  const pieces = Array.from({ length: 3000 }, (_, at) => String(at % 10));
  expect((await read(chunked, pieces, 3000)).outcomes).toEqual([{ text: pieces.join("") }]);
  expect(joined).toHaveBeenCalledTimes(3);
});

test("a body that says it is larger is refused before it comes", () => {
  const outcomes: BodyOutcome[] = [];
  const message = Object.assign(new PassThrough(), { headers: { "content-length": "9" } });
  readBody(message as unknown as IncomingMessage, 8, (outcome) => outcomes.push(outcome));
  expect(outcomes).toEqual(["too_large"]);
});

test("without any, the request is not read", async () => {
  expect(await read({}, ["x"])).toEqual({ outcomes: [{ text: "" }], isTaken: false });
});
