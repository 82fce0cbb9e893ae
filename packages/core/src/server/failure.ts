import { randomUUID } from "node:crypto";
import { EngineError } from "@pawl/engine";
import type { ProblemCode } from "@pawl/protocol";
import { StorageError } from "@pawl/storage";
import type { Logger } from "pino";
import type { Refusal } from "./dialect.js";

/**
 * How a failed operation is reported to the caller. Failures on our side go to the log and never become an answer about
 * the session.
 */
export const explainFailure = (
  error: unknown,
  { log, operation }: { readonly log: Logger; readonly operation: string },
): readonly [ProblemCode, Refusal] => {
  if (error instanceof EngineError && (error.code === "invalid_input" || error.code === "protected_claim"))
    return ["invalid_input", { detail: error.message }];
  if (error instanceof EngineError && error.code === "payload_too_large")
    return ["payload_too_large", { detail: error.message }];
  if (error instanceof EngineError && error.code === "acting") return ["acting_refused", { detail: error.message }];
  if (error instanceof StorageError && error.code === "invalid_record")
    return ["invalid_input", { detail: "an id or text holds what cannot be stored, such as U+0000" }];
  if (error instanceof EngineError && error.code === "master_key_missing") {
    log.error({ operation, err: error }, "a master key was not given to this node");
    return ["storage_unavailable", {}];
  }
  if (error instanceof StorageError) {
    log.warn({ operation, code: error.code, err: error }, "the storage does not answer as it should");
    return ["storage_unavailable", {}];
  }
  const errorId = randomUUID();
  log.error({ operation, errorId, err: error }, "unexpected failure");
  return ["internal_error", { errorId }];
};
