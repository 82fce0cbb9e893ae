import { tokenOfBearer } from "@pawl/protocol";
import type { Exchange } from "./exchange.js";

/** How the tokens of a session travel: in cookies, or in headers that the client handles itself. */
export type TokenTransfer = "cookie" | "header";

/** The token in `Authorization: Bearer …`; it may be another system's. */
export const bearerToken = (exchange: Exchange): string | undefined => tokenOfBearer(exchange.header("authorization"));

/** What a browser SDK wants of a login: it says so in each of its requests. */
export const wantedTransfer = (exchange: Exchange): TokenTransfer =>
  exchange.header("st-auth-mode") === "header" ? "header" : "cookie";

/** Browser SDKs that read `front-token` send this header; those that read `id-refresh-token`, and no SDK, do not. */
export const readsFrontToken = (exchange: Exchange): boolean => exchange.header("st-auth-mode") !== undefined;
