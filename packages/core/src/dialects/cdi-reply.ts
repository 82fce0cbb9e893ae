import { type ProblemCode, problems } from "@pawl/protocol";
import type { CoreReply, Refusal } from "../server/dialect.js";

/** A text answer as the original core writes it: one line. */
export const textReply = (text: string, status = 200): CoreReply => ({
  status,
  contentType: "text/html; charset=UTF-8",
  body: `${text}\n`,
});

/**
 * A JSON answer as the original core writes it: status 200 whatever the outcome, one line. A part is an object, whose
 * undefined members are left out, or the text of members.
 */
export const jsonReply = (...parts: readonly (object | string)[]): CoreReply => {
  const members = parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part).slice(1, -1)));
  return { status: 200, contentType: "application/json; charset=UTF-8", body: `{${members.join(",")}}\n` };
};

/** Refuses a session that acts for another user: a CDI would name that user alone, and whoever reads it would believe him there. */
export const actingReply = (): CoreReply =>
  textReply("The session acts for another user, which this protocol cannot express", 409);

/** Refuses a session that is bound to a key of its browser: it lives on, so it is neither said to have ended nor to be stolen. */
export const unprovenReply = (): CoreReply =>
  textReply("The session is bound to a key of its browser, which this protocol cannot prove", 409);

/** Refuses a `cdi-version` that is not served here. */
export const unknownVersionReply = (version: string | readonly string[]): CoreReply =>
  typeof version === "string" && /^\d{1,5}\.\d{1,5}$/.test(version)
    ? textReply(`cdi-version ${version} not supported`, 400)
    : textReply("cdi-version header is invalid", 400);

/** The original's texts; the rest is the title of our own table. */
const texts: Partial<Record<ProblemCode, string>> = {
  invalid_json: "Invalid Json Input",
  api_key_invalid: "Invalid API key",
  not_found: "Not found",
  method_not_allowed: "Method not supported",
  internal_error: "Internal Error",
};

/** A refusal as text, for every path that is not our own API's. */
export const textRefusal = (problem: ProblemCode, { detail }: Refusal): CoreReply => {
  const { status, title } = problems[problem];
  return textReply(texts[problem] ?? detail ?? title, status);
};
