export { hostOf, isOriginOf } from "./authority.js";
export * from "./cookie-header.js";
export * from "./cookie-size.js";
export { setCorsHeaders } from "./cors.js";
export { isFromOwnPage } from "./csrf.js";
export { type Exchange, NodeExchange, type NodeRequest, type NodeResponse } from "./exchange.js";
export { bearerToken, type TokenTransfer, wantedTransfer } from "./token-transfer.js";
