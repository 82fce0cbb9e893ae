// What `bench` installs from a lockfile of its own is not there for `npm run check`.
declare module "better-auth";
declare module "better-auth/*";
declare module "connect-pg-simple";
declare module "connect-redis";
declare module "express-session";
declare module "fast-jwt";
declare module "iron-session";
declare module "jose";
declare module "kysely";
declare module "redis";
declare module "supertokens-node";
declare module "supertokens-node/*";
declare module "supertokens-node-1";
declare module "supertokens-node-1/*";
declare module "vega";
declare module "vega-lite";
