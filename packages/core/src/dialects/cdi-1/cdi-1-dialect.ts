import type { RandomSource, SessionEngine, SessionHandle } from "@pawl/engine";
import type { UserId } from "@pawl/storage";
import type { CoreConfig } from "../../config/core-config.js";
import type { CoreReply, CoreRequest, Dialect, Operation } from "../../server/dialect.js";
import { actingReply, jsonReply, textRefusal, textReply, unknownVersionReply, unprovenReply } from "../cdi-reply.js";
import { createPathTable } from "../path-table.js";
import {
  booleanField,
  InputError,
  objectField,
  optionalStringField,
  optionalStringsField,
  queryParameter,
  readFields,
  stringField,
} from "../cdi-input.js";
import { signingKeyMembers } from "../signing-key-members.js";
import { issuedCookies, tokenCookie } from "./session-answer.js";

interface Cdi1Options {
  readonly engine: SessionEngine;
  readonly config: Pick<CoreConfig, "path" | "mode" | "cookies" | "cdi1" | "cdiVerifyKnows">;
  readonly random: RandomSource;
  /** What `pid` is compared with. */
  readonly processId: number;
}

type Handler = (request: CoreRequest) => Promise<CoreReply> | CoreReply;

const NO_SESSION = { status: "UNAUTHORISED", message: "Session does not exist." };
const NOT_ALLOWED = { status: "NOT ALLOWED" };

/** CDI 1.0 on its bare paths, in the form of `supertokens-core` 1.0.0; `docs/reference/compatibility.md` names what differs. */
export const createCdi1Dialect = ({ engine, config, random, processId }: Cdi1Options): Dialect => {
  const { cookies, cdi1, cdiVerifyKnows: heedRevocations } = config;
  const { keyKind } = cdi1;
  const replyWithKey = async (members: object): Promise<CoreReply> =>
    jsonReply(members, await signingKeyMembers(engine, { keyKind }));

  const handshake: Handler = ({ body }) => {
    readFields(body);
    return replyWithKey({
      status: "OK",
      cookieDomain: cookies.domain,
      cookieSecure: cookies.secure,
      accessTokenPath: cookies.accessTokenPath,
      refreshTokenPath: cookies.refreshApiPath,
      enableAntiCsrf: engine.policy.enableAntiCsrf,
      accessTokenBlacklistingEnabled: engine.policy.checkDatabase,
    });
  };

  const createSession: Handler = async ({ body }) => {
    const fields = readFields(body);
    const userId = stringField(fields, "userId") as UserId;
    const payload = objectField(fields, "userDataInJWT");
    const data = objectField(fields, "userDataInDatabase");
    const issued = await engine.createSession({ userId, payload, data, form: "v1", keyKind });
    return replyWithKey({ status: "OK", ...issuedCookies(issued, { cookies, random }) });
  };

  const verifySession: Handler = async ({ body }) => {
    const fields = readFields(body);
    const accessToken = stringField(fields, "accessToken");
    const antiCsrfToken = optionalStringField(fields, "antiCsrfToken");
    const doAntiCsrfCheck = booleanField(fields, "doAntiCsrfCheck");
    const outcome = await engine.confirmAccessToken({
      accessToken,
      doAntiCsrfCheck,
      heedRevocations,
      antiCsrfToken,
    });
    if (outcome.kind === "try_refresh") return jsonReply({ status: "TRY_REFRESH_TOKEN", message: outcome.message });
    if (outcome.kind === "unauthorised") return jsonReply({ status: "UNAUTHORISED", message: outcome.message });
    const { claims, accessToken: clean } = outcome;
    if (claims.actor !== undefined) return actingReply();
    return replyWithKey({
      status: "OK",
      session: { handle: claims.handle, userId: claims.userId, userDataInJWT: claims.payload },
      accessToken: clean && tokenCookie(clean, cookies.accessTokenPath, cookies),
    });
  };

  const refreshSession: Handler = async ({ body }) => {
    const refreshToken = stringField(readFields(body), "refreshToken");
    const outcome = await engine.refreshSession({ refreshToken, form: "v1", keyKind });
    switch (outcome.kind) {
      case "refreshed":
        return jsonReply({ status: "OK", ...issuedCookies(outcome, { cookies, random }) });
      case "unauthorised":
        return jsonReply({ status: "UNAUTHORISED", message: outcome.message });
      case "unproven":
        return unprovenReply();
      case "token_reuse": {
        const { handle, userId } = outcome.session;
        return jsonReply({ status: "TOKEN_THEFT_DETECTED", session: { handle, userId } });
      }
    }
  };

  const revoke = async (body: string): Promise<readonly SessionHandle[]> => {
    const fields = readFields(body);
    const userId = optionalStringField(fields, "userId") as UserId | undefined;
    const sessionHandle = optionalStringField(fields, "sessionHandle");
    const sessionHandles = optionalStringsField(fields, "sessionHandles");
    if ([userId, sessionHandle, sessionHandles].filter((selector) => selector !== undefined).length !== 1)
      throw new InputError("Invalid JSON input - use one of userId, sessionHandle, or sessionHandles array");
    if (userId !== undefined) return engine.revokeAllForUser({ userId });
    return engine.revokeSessions(sessionHandles ?? [sessionHandle as string]);
  };

  const getSessionData: Handler = async ({ query }) => {
    const session = await engine.getSession(queryParameter(query, "sessionHandle"));
    return jsonReply(session === undefined ? NO_SESSION : { status: "OK", userDataInDatabase: session.data });
  };

  const updateSessionData: Handler = async ({ body }) => {
    const fields = readFields(body);
    const handle = stringField(fields, "sessionHandle");
    const data = objectField(fields, "userDataInDatabase");
    return jsonReply((await engine.updateSessionData(handle, data)) ? { status: "OK" } : NO_SESSION);
  };

  const forThisProcess =
    (members: object): Handler =>
    ({ query }) =>
      jsonReply(queryParameter(query, "pid") === String(processId) ? { status: "OK", ...members } : NOT_ALLOWED);

  const operation = (method: string, path: string, handler: Handler): readonly [string, string, Operation] => [
    method,
    path,
    { name: `cdi-1 ${method} ${path}`, access: cdi1.withoutKey ? "open" : "full", handle: guarded(handler) },
  ];

  const table = createPathTable([
    operation("POST", "/handshake", handshake),
    operation("POST", "/session", createSession),
    operation("DELETE", "/session", async ({ body }) =>
      jsonReply({ status: "OK", numberOfSessionsRevoked: (await revoke(body)).length }),
    ),
    operation("POST", "/session/verify", verifySession),
    operation("POST", "/session/refresh", refreshSession),
    operation("GET", "/session/user", async ({ query }) => {
      const userId = queryParameter(query, "userId") as UserId;
      return jsonReply({ status: "OK", sessionHandles: await engine.listSessionHandles({ userId }) });
    }),
    operation("GET", "/session/data", getSessionData),
    operation("PUT", "/session/data", updateSessionData),
    operation("GET", "/config", forThisProcess({ path: config.path })),
    operation("GET", "/devproductionmode", forThisProcess({ mode: config.mode })),
  ]);
  return {
    find: table.find,
    owns: (path) => table.find("", path) !== undefined,
    refuse: textRefusal,
  };
};

/** Refuses other versions of the protocol, and answers what was not of the documented form. */
const guarded =
  (handler: Handler): Handler =>
  async (request) => {
    const version = request.headers["cdi-version"];
    if (version !== undefined && version !== "1.0") return unknownVersionReply(version);
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof InputError) return textReply(error.message, 400);
      throw error;
    }
  };
