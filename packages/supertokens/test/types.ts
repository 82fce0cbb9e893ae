/** Compiled with the tests, never run: what the types promise. */
import { createPawl, Error as SessionError, getSession, init, type JsonObject, type Session } from "@pawl/supertokens";
import { testSession } from "@pawl/supertokens/testing";
import * as tokens from "@pawl/supertokens/session";
import type { Request, Response } from "express";
import type { IncomingMessage, ServerResponse } from "node:http";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_ extends true>(): void => undefined;

interface Payload {
  role: "admin" | "user";
}
interface Data {
  cart: string[];
}

export const expressRequests = async (req: Request, res: Response): Promise<void> => {
  const pawl = createPawl<Payload, Data>({ storage: "sqlite:./sessions.db", accessTokenValidity: "15m" });
  const session = await pawl.createNewSession(res, "u1", { role: "admin" }, { cart: [] });
  holds<Equal<ReturnType<typeof session.getJWTPayload>, Payload>>();
  holds<Equal<Awaited<ReturnType<typeof session.getSessionData>>, Data>>();
  await session.updateSessionData({ cart: ["a"] });
  await pawl.updateSessionData(session.getHandle(), { cart: [] });
  // @ts-expect-error the payload has another type
  await pawl.createNewSession(res, "u1", { role: "king" });
  // @ts-expect-error the data has another type
  await session.updateSessionData({ basket: [] });
  // @ts-expect-error the third argument says whether the anti-CSRF token is compared
  await pawl.getSession(req, res);
  const found = await pawl.tokens.getSession("a", undefined, true, "i");
  holds<Equal<typeof found.session.userDataInJWT, Payload>>();
  const [listed] = await pawl.sessions.listForUser("u1", { current: session });
  if (listed !== undefined) holds<Equal<typeof listed.data, Data>>();
};

export const plainRequests = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  init([{ hostname: "localhost", port: 3567 }]);
  init({ core: ["https://sessions.example.com"], apiKey: process.env["API_KEY"] });
  // @ts-expect-error either a storage or a core
  init({});
  const session = await getSession(req, res, true);
  holds<Equal<typeof session, Session<JsonObject, JsonObject>>>();
  const typed = await getSession<Payload, Data>(req, res, true);
  holds<Equal<ReturnType<typeof typed.getJWTPayload>, Payload>>();
  const { accessToken } = await tokens.createNewSession("u1");
  holds<Equal<typeof accessToken.expiry, number>>();
  const { session: minted } = await testSession<Payload, Data>({ userId: "u1", payload: { role: "user" } });
  holds<Equal<typeof minted, Session<Payload, Data>>>();
};

export const errors = (error: unknown): string => {
  if (!SessionError.isErrorFromAuth(error)) return "none of ours";
  if (error.errType === SessionError.TOKEN_THEFT_DETECTED) {
    holds<Equal<typeof error.err.userId, string>>();
    return error.err.sessionHandle;
  }
  return error.err.message;
};
