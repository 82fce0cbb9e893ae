import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { claimsOf, createSigner } from "./access-tokens.mjs";

/**
 * The little of a SuperTokens core (CDI 5.4) that lets supertokens-node create sessions and verify them for real: it is
 * asked while sessions are made and for the key set, never during a slice.
 * @returns {Promise<{ uri: string, close: () => void }>}
 */
export const startSupertokensCore = async () => {
  const signer = createSigner("RS256");
  let users = 0;
  const answers = {
    "GET /apiversion": () => ({ versions: ["5.4"] }),
    "GET /.well-known/jwks.json": () => ({ keys: [signer.jwk] }),
    "GET /user/id": () => ({ status: "UNKNOWN_USER_ID_ERROR" }),
    "POST /public/recipe/session": (/** @type {any} */ { userId, userDataInJWT }) => {
      const claims = { ...claimsOf(users++), sub: userId, rsub: userId, ...userDataInJWT };
      const session = {
        handle: claims.sessionHandle,
        userId,
        recipeUserId: userId,
        userDataInJWT,
        tenantId: "public",
      };
      const times = (/** @type {number} */ seconds) => ({
        createdTime: claims.iat * 1000,
        expiry: (claims.iat + seconds) * 1000,
      });
      return {
        status: "OK",
        session,
        accessToken: { token: signer.sign(claims), ...times(3600) },
        refreshToken: { token: randomBytes(96).toString("base64url"), ...times(8_640_000) },
      };
    },
  };
  const respond = async (
    /** @type {import("node:http").IncomingMessage} */ request,
    /** @type {import("node:http").ServerResponse} */ response,
  ) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const path = new URL(request.url ?? "/", "http://core").pathname;
    const answer = /** @type {Record<string, (body: any) => unknown>} */ (answers)[`${request.method} ${path}`];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer === undefined ? { path } : answer(body === "" ? {} : JSON.parse(body))));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { uri: `http://127.0.0.1:${port}`, close: () => server.closeAllConnections() };
};
