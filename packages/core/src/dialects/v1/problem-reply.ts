import { type Problem, PROBLEM_TYPE, type ProblemCode, problems } from "@pawl/protocol";
import type { CoreReply } from "../../server/dialect.js";

/** What a problem says besides its code, status and title. */
export type ProblemDetail = {
  readonly [Name in Exclude<keyof Problem, "type" | "code" | "title" | "status">]?: Problem[Name] | undefined;
};

/** Problem details (RFC 9457) as an answer; status and title are those of the one table. */
export const problemReply = (code: ProblemCode, detail: ProblemDetail = {}): CoreReply => {
  const { status, title } = problems[code];
  const body = JSON.stringify({ type: `urn:pawl:problem:${code}`, code, title, status, ...detail });
  return { status, contentType: PROBLEM_TYPE, body };
};
