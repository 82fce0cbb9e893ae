import { EngineError } from "@pawl/engine";
import { StorageError } from "@pawl/storage";
import { pino } from "pino";
import { expect, test } from "vitest";
import { explainFailure } from "../../src/server/failure.js";

const [WARNING, ERROR] = [40, 50];
const DETAIL = "as it says";

test.each<readonly [unknown, string, object, number | undefined]>([
  [new EngineError("invalid_input", DETAIL), "invalid_input", { detail: DETAIL }, undefined],
  [new EngineError("protected_claim", DETAIL), "invalid_input", { detail: DETAIL }, undefined],
  [new EngineError("payload_too_large", DETAIL), "payload_too_large", { detail: DETAIL }, undefined],
  [
    new StorageError("invalid_record", "a\0"),
    "invalid_input",
    { detail: expect.stringContaining("U+0000") },
    undefined,
  ],
  [new EngineError("master_key_missing", "key 2"), "storage_unavailable", {}, ERROR],
  [new StorageError("unavailable", "locked"), "storage_unavailable", {}, WARNING],
  [new StorageError("read_only", "read-only"), "storage_unavailable", {}, WARNING],
  [new StorageError("corrupt", "corrupt"), "storage_unavailable", {}, WARNING],
  [new StorageError("closed", "closed"), "storage_unavailable", {}, WARNING],
  [new EngineError("signing_key_missing", "no key"), "internal_error", { errorId: expect.any(String) }, ERROR],
  [new TypeError("inside"), "internal_error", { errorId: expect.any(String) }, ERROR],
  ["not even an error", "internal_error", { errorId: expect.any(String) }, ERROR],
])("%s is %s", (error, problem, refusal, level) => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const explained = explainFailure(error, { log, operation: "test" });
  expect(explained).toEqual([problem, refusal]);
  const { code } = error as { readonly code?: string };
  const told = level === WARNING ? { code } : (explained[1] as object);
  expect(lines).toEqual(
    level === undefined ? [] : [expect.objectContaining({ level, operation: "test", err: expect.anything(), ...told })],
  );
});
