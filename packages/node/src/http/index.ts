export { cookieValues, hostOf, isFromOwnPage, isOriginOf, MOST_VALUES } from "@pawl/protocol";
export * from "./cookie-header.js";
export * from "./cookie-size.js";
export { setCorsHeaders } from "./cors.js";
export { type Exchange, NodeExchange, type NodeRequest, type NodeResponse } from "./exchange.js";
export { REFRESH_TOKEN_START } from "./cookies.js";
export { bearerToken, readsFrontToken, type TokenTransfer, wantedTransfer } from "./token-transfer.js";
