import { closed } from "./schemas.js";

/** What stands in front of applications asks here whether a request has a session, with the headers of that request. */
export const gatewayRoute = {
  method: "GET",
  path: "/gateway/check",
  summary:
    "Whether a request has a session: 200 with who it is in headers, 401, 403 for a request that another site had sent, 503 where nothing is known",
  query: closed(
    {},
    {
      cookie: {
        type: "string",
        pattern: "^[!#-'*+.^-z|~0-9A-Z-]+$",
        description: "Name of the access token cookie; `__Host-pawl-access` unless given",
      },
      origins: {
        type: "string",
        description:
          "Origins of pages that may send other methods than GET, HEAD and OPTIONS besides the host's own, separated by commas",
      },
      checkDatabase: {
        enum: ["true", "false"],
        description: "Whether the database is asked; as configured unless given",
      },
    },
  ),
} as const;

/** What the answer says, for the gateway to hand on. */
export const gatewayHeaders = {
  user: "Pawl-User",
  session: "Pawl-Session",
  claims: "Pawl-Claims",
  code: "Pawl-Code",
  return: "Pawl-Return",
} as const;

/** Why a request may not pass, as the codes of `@pawl/node`, with status and message. */
export const gatewayRefusals = {
  UNAUTHORISED: { status: 401, message: "unauthorised" },
  TRY_REFRESH: { status: 401, message: "try refresh token" },
  CSRF: { status: 403, message: "this request came from another site" },
  UNKNOWN: { status: 503, message: "try again" },
} as const;

export type GatewayCode = keyof typeof gatewayRefusals;
