import type { ProblemCode, RouteBody, RouteName, RouteQuery, RouteResponse, Written } from "@pawl/protocol";
import type { CallerInformation } from "../../server/access-control.js";
import type { StreamReply } from "../../server/dialect.js";
import type { ProblemDetail } from "./problem-reply.js";

/** A request to one operation, checked against its schemas. */
export interface Call<Name extends RouteName> {
  readonly body: RouteBody<Name>;
  readonly query: RouteQuery<Name>;
  /** The `{handle}` of the path, decoded; empty where the path has none. */
  readonly handle: string;
  /** `Last-Event-ID`, of a reader that resumes a stream. */
  readonly lastEventId: string | undefined;
  /** Who asks, for the audit trail. */
  readonly by: () => CallerInformation;
}

/** The outcome of an operation. */
export type CallOutcome<Name extends RouteName> =
  | { readonly ok: Written<RouteResponse<Name>> }
  | { readonly problem: ProblemCode; readonly detail?: ProblemDetail }
  | { readonly stream: StreamReply };

/** Every operation of our API. */
export type Handlers = {
  readonly [Name in RouteName]: (call: Call<Name>) => CallOutcome<Name> | Promise<CallOutcome<Name>>;
};
