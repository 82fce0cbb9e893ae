import {
  createNewSession,
  Error as SessionError,
  getSession,
  init,
  refreshSession,
  revokeSessionUsingSessionHandle,
  type SessionTokens,
} from "@pawl/supertokens/session";

init({ storage: process.argv[2] ?? "memory:" });
const login = await createNewSession("alice");
const verify = async ({ accessToken, idRefreshToken }: SessionTokens): Promise<string> => {
  const { session } = await getSession(accessToken.token, undefined, false, idRefreshToken.token);
  return session.userId;
};
console.log(await verify(login));
const refreshed = await refreshSession(login.refreshToken.token);
console.log(await verify(refreshed));
console.log(await revokeSessionUsingSessionHandle(login.session.handle));
console.log(await verify(login).catch((error: unknown) => SessionError.isErrorFromAuth(error)));
