import { NodeExchange } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";
import { ANTI_CSRF_HEADER } from "./session-announcement.js";

/** Adds the headers that a cross-origin preflight needs to its answer; asks no backend. */
export const setPreflightHeaders = (res: NodeResponse): void => {
  const exchange = new NodeExchange(undefined, res);
  exchange.appendHeader(
    "Access-Control-Allow-Headers",
    `${ANTI_CSRF_HEADER}, supertokens-sdk-name, supertokens-sdk-version`,
  );
  // A browser refuses `true, true`, which is what another CORS layer in front would make of it.
  exchange.setHeader("Access-Control-Allow-Credentials", "true");
};
