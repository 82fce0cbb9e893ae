import { createRequire } from "node:module";
import type { Request, Response } from "express";
import type * as SuperTokens from "supertokens-node-24";
import type * as Express from "supertokens-node-24/framework/express";
import type * as Multitenancy from "supertokens-node-24/recipe/multitenancy";
import type * as Session from "supertokens-node-24/recipe/session";
import type { SessionContainer } from "supertokens-node-24/recipe/session";
import type * as Claims from "supertokens-node-24/recipe/session/claims";
import type * as SessionExpress from "supertokens-node-24/recipe/session/framework/express";
import type { SdkVersion } from "./sdk-version.js";

const require = createRequire(import.meta.url);

export type Values = Readonly<Record<string, unknown>>;

/** Whose session is made, and with what. */
export interface Login {
  readonly userId: string;
  readonly tenantId?: string;
  readonly payload?: Values;
  readonly data?: Values;
}

/** What a session is asked for in every version, under the names of the newest. */
export type SdkSession = Pick<
  SessionContainer,
  | "getUserId"
  | "getHandle"
  | "getAccessToken"
  | "getAccessTokenPayload"
  | "getSessionDataFromDatabase"
  | "updateSessionDataInDatabase"
  | "mergeIntoAccessTokenPayload"
  | "getTimeCreated"
  | "getExpiry"
  | "revokeSession"
>;

/** A session by its handle, in every version alike. */
export interface SessionFacts {
  readonly userId: string;
  readonly payload: Values;
  readonly data: Values;
  readonly timeCreated: number;
  readonly expiry: number;
}

type Common = Pick<
  typeof Session,
  "revokeSession" | "revokeMultipleSessions" | "revokeAllSessionsForUser" | "getAllSessionHandlesForUser"
>;

/** One private copy of an unmodified package, the same for every version. */
export interface Sdk extends Common {
  readonly supertokens: typeof SuperTokens;
  readonly express: typeof Express;
  readonly verifySession: typeof SessionExpress.verifySession;
  /** The package's own recipe, for what not every version has. */
  readonly session: typeof Session;
  readonly claims: typeof Claims;
  readonly multitenancy: typeof Multitenancy;
  login(request: Request, response: Response, login: Login): Promise<SdkSession>;
  /** What every version can do with a session that its `verifySession` found. */
  wrap(session: SessionContainer): SdkSession;
  information(handle: string): Promise<SessionFacts | undefined>;
  mergePayload(handle: string, update: Values): Promise<boolean>;
  updateData(handle: string, data: Values): Promise<boolean>;
  createJwt(payload: Values, options?: { readonly seconds?: number; readonly isStatic?: boolean }): Promise<string>;
}

type Parts = Pick<Sdk, "supertokens" | "express" | "verifySession" | "session" | "claims" | "multitenancy">;

/** The package keeps what `init` was told in module state, so that every application needs a copy of its own. */
const load = ({ package: name, features }: SdkVersion): Parts => {
  for (const file of Object.keys(require.cache))
    if (file.includes(`/node_modules/${name}/`)) delete require.cache[file];
  const recipe = `${name}/recipe/session`;
  const optional = (has: boolean, path: string): unknown => (has ? require(path) : undefined);
  return {
    supertokens: require(name) as typeof SuperTokens,
    express: require(`${name}/framework/express`) as typeof Express,
    verifySession: (require(`${recipe}/framework/express`) as typeof SessionExpress).verifySession,
    session: require(recipe) as typeof Session,
    claims: optional(features.has("claims"), `${recipe}/claims`) as typeof Claims,
    multitenancy: optional(features.has("tenants"), `${name}/recipe/multitenancy`) as typeof Multitenancy,
  };
};

const jwtOf = (answer: Awaited<ReturnType<typeof Session.createJWT>>): string => {
  if (answer.status !== "OK") throw new Error(answer.status);
  return answer.jwt;
};

const common = ({ session }: Parts): Common => ({
  revokeSession: (handle) => session.revokeSession(handle),
  revokeMultipleSessions: (handles) => session.revokeMultipleSessions(handles),
  revokeAllSessionsForUser: (...parameters) => session.revokeAllSessionsForUser(...parameters),
  getAllSessionHandlesForUser: (...parameters) => session.getAllSessionHandlesForUser(...parameters),
});

/** From 14 on. */
const modernSdk = (parts: Parts, create: Sdk["login"]): Sdk => {
  const { session } = parts;
  return {
    ...parts,
    ...common(parts),
    login: create,
    wrap: (found) => found,
    async information(handle) {
      const found = await session.getSessionInformation(handle);
      if (found === undefined) return undefined;
      const { userId, customClaimsInAccessTokenPayload: payload, sessionDataInDatabase: data, ...times } = found;
      return { userId, payload, data, timeCreated: times.timeCreated, expiry: times.expiry };
    },
    mergePayload: (handle, update) => session.mergeIntoAccessTokenPayload(handle, update as never),
    updateData: (handle, data) => session.updateSessionDataInDatabase(handle, data),
    createJwt: async (payload, { seconds, isStatic } = {}) =>
      jwtOf(await session.createJWT(payload, seconds, isStatic)),
  };
};

/** Users have a recipe user, sessions a tenant. */
const sdkSince16 = (parts: Parts): Sdk =>
  modernSdk(parts, (request, response, { userId, tenantId = "public", payload = {}, data = {} }) => {
    const recipeUserId = new parts.supertokens.RecipeUserId(userId);
    return parts.session.createNewSession(request, response, tenantId, recipeUserId, payload, data);
  });

/** What 14 takes to make a session. */
type Create14 = (
  request: Request,
  response: Response,
  userId: string,
  payload: Values,
  data: Values,
) => Promise<SessionContainer>;

const sdk14 = (parts: Parts): Sdk => {
  const create = parts.session.createNewSession as unknown as Create14;
  return modernSdk(parts, (request, response, { userId, payload = {}, data = {} }) =>
    create(request, response, userId, payload, data),
  );
};

/** The names of 9: a payload is replaced as a whole, and a session that is not there is thrown as UNAUTHORISED. */
interface Session9 extends SessionContainer {
  getSessionData(): Promise<Values>;
  updateSessionData(data: Values): Promise<void>;
  updateAccessTokenPayload(payload: Values): Promise<void>;
}

interface Recipe9 {
  createNewSession(response: Response, userId: string, payload: Values, data: Values): Promise<Session9>;
  getSessionInformation(handle: string): Promise<{
    readonly userId: string;
    readonly accessTokenPayload: Values;
    readonly sessionData: Values;
    readonly timeCreated: number;
    readonly expiry: number;
  }>;
  updateAccessTokenPayload(handle: string, payload: Values): Promise<void>;
  updateSessionData(handle: string, data: Values): Promise<void>;
}

const sdk9 = (parts: Parts): Sdk => {
  const recipe = parts.session as unknown as Recipe9;
  const wrap = (session: Session9): SdkSession =>
    Object.assign(Object.create(session) as Session9, {
      getSessionDataFromDatabase: () => session.getSessionData(),
      updateSessionDataInDatabase: (data: Values) => session.updateSessionData(data),
      mergeIntoAccessTokenPayload: (update: Values) =>
        session.updateAccessTokenPayload({ ...(session.getAccessTokenPayload() as Values), ...update }),
    });
  const ifThere = async <Result>(call: Promise<Result>): Promise<Result | undefined> => {
    try {
      return await call;
    } catch (error) {
      if ((error as { readonly type?: string }).type !== "UNAUTHORISED") throw error;
      return undefined;
    }
  };
  const done = async (call: Promise<void>): Promise<boolean> => (await ifThere(call.then(() => true))) ?? false;
  const information: Sdk["information"] = async (handle) => {
    const found = await ifThere(recipe.getSessionInformation(handle));
    if (found === undefined) return undefined;
    const { userId, accessTokenPayload: payload, sessionData: data, timeCreated, expiry } = found;
    return { userId, payload, data, timeCreated, expiry };
  };
  return {
    ...parts,
    ...common(parts),
    login: async (_request, response, { userId, payload = {}, data = {} }) =>
      wrap(await recipe.createNewSession(response, userId, payload, data)),
    wrap: (session) => wrap(session as Session9),
    information,
    async mergePayload(handle, update) {
      const before = await information(handle);
      return before !== undefined && done(recipe.updateAccessTokenPayload(handle, { ...before.payload, ...update }));
    },
    updateData: (handle, data) => done(recipe.updateSessionData(handle, data)),
    createJwt: async (payload, { seconds } = {}) => jwtOf(await parts.session.createJWT(payload, seconds)),
  };
};

/** A private copy of a version, behind one face. */
export const loadSdk = (version: SdkVersion): Sdk => {
  const parts = load(version);
  if (version.features.has("tenants")) return sdkSince16(parts);
  return version.features.has("claims") ? sdk14(parts) : sdk9(parts);
};
