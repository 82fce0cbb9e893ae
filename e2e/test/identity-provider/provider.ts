import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

/** An application as the provider knows it. */
export interface Client {
  readonly id: string;
  readonly redirectUri: string;
  readonly logoutUri: string;
}

export const SECRET = "a-secret-of-the-client-that-is-long-enough";

/** A real OpenID provider on this machine, whose users log in with any name and password. */
export const startProvider = async () => {
  let answer: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const told: string[] = [];
  return {
    issuer,
    /** What it says of the logouts that it has told applications of. */
    told,
    /** Serves from now on, for applications whose addresses are known by now. */
    serve(clients: readonly Client[]) {
      const provider = new Provider(issuer, {
        clients: clients.map(({ id, redirectUri, logoutUri }) => ({
          client_id: id,
          client_secret: SECRET,
          redirect_uris: [redirectUri],
          backchannel_logout_uri: logoutUri,
          backchannel_logout_session_required: true,
        })),
        features: { backchannelLogout: { enabled: true } },
        jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "rsa" }] },
        cookies: { keys: ["a key of the tests"] },
        // Its own one calls nobody on the same machine.
        fetch: (url: string, options: object) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
      });
      provider.on("backchannel.success", () => void told.push("success"));
      provider.on("backchannel.error", (_context, error) => void told.push(String(error)));
      answer = provider.callback();
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
};
