import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import type { ProviderSettings } from "./sessions.js";

/**
 * A real OpenID provider on this machine, for trying: any name and password logs in there, and what it knows is gone when it
 * ends. A real application has `ISSUER` name another one.
 */
export const startProvider = async (port: number, origin: string): Promise<ProviderSettings & { close(): void }> => {
  let answer: RequestListener;
  const server = createServer((request, response) => answer(request, response)).listen(port, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { issuer, clientId: "pawl-login", clientSecret: randomUUID() };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [`${origin}/openid/callback`],
        backchannel_logout_uri: `${origin}/session/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    features: { backchannelLogout: { enabled: true } },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "rsa" }] },
    cookies: { keys: [randomUUID()] },
    // Its own one calls nobody on the same machine.
    fetch: (url: string, options: object) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
  });
  answer = provider.callback();
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { ...client, close };
};
