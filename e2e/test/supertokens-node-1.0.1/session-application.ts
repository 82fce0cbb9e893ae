import type { Application, Client, Host, Outcome, TokenName } from "./client.js";
import { failureOutcome, sessionSdk } from "./sdk.js";

/** An application without Express: it hands tokens to the entry `supertokens-node/session` and keeps what it gets. */
export const sessionApplication = async (hosts: readonly Host[]): Promise<Application> => {
  const sdk = sessionSdk();
  sdk.init([...hosts]);

  const clientWith = (tokens: Map<TokenName, string>, antiCsrf: string | undefined): Client => {
    const outcomeOf = (call: Promise<{ readonly session: { readonly userId: string } }>): Promise<Outcome> =>
      call.then(({ session }) => ({ userId: session.userId }), failureOutcome);

    const keep = async <Answer extends Partial<Awaited<ReturnType<typeof sdk.createNewSession>>>>(
      call: Promise<Answer>,
    ): Promise<Answer> => {
      const answer = await call;
      if (answer.accessToken) tokens.set("sAccessToken", answer.accessToken.token);
      if (answer.refreshToken) tokens.set("sRefreshToken", answer.refreshToken.token);
      if (answer.idRefreshToken) tokens.set("sIdRefreshToken", answer.idRefreshToken.token);
      if (answer.antiCsrfToken !== undefined) client.antiCsrf = answer.antiCsrfToken;
      return answer;
    };
    const client: { -readonly [Member in keyof Client]: Client[Member] } = {
      tokens,
      antiCsrf,
      login: (userId) => outcomeOf(keep(sdk.createNewSession(userId, { role: "a" }, { note: 1 }))),
      verify(options = {}) {
        const { check = true } = options;
        const sent = "antiCsrf" in options ? options.antiCsrf : client.antiCsrf;
        const accessToken = tokens.get("sAccessToken") ?? "";
        return outcomeOf(keep(sdk.getSession(accessToken, sent, check, tokens.get("sIdRefreshToken"))));
      },
      refresh: () => outcomeOf(keep(sdk.refreshSession(tokens.get("sRefreshToken") ?? ""))),
      copy: () => clientWith(new Map(tokens), client.antiCsrf),
    };
    return client;
  };

  return { sdk, newClient: () => clientWith(new Map(), undefined), close: async () => undefined };
};
