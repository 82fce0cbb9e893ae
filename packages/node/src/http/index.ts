export { hostOf, isOriginOf } from "./authority.js";
export * from "./cookie-header.js";
export * from "./cookie-size.js";
export { setCorsHeaders } from "./cors.js";
export { isFromOwnPage } from "./csrf.js";
export { type Exchange, NodeExchange, type NodeRequest, type NodeResponse } from "./exchange.js";
export { REFRESH_TOKEN_START } from "./cookies.js";
export { bearerToken, readsFrontToken, type TokenTransfer, wantedTransfer } from "./token-transfer.js";
