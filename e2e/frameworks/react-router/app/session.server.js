import { errorAnswer, SessionError } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { pawl } from "./pawl.js";

const sessions = forFetch(pawl);

/** React Router answers with what is thrown, if it is an answer. */
export const answering =
  (work) =>
  (...given) =>
    work(...given).catch((error) => {
      if (!(error instanceof SessionError)) throw error;
      const { status, headers, body } = errorAnswer(error);
      throw Response.json(body, { status, headers });
    });

export const { handle } = sessions;
export const createSession = answering(sessions.createSession);
export const getSession = answering(sessions.getSession);
export const requireSession = answering(sessions.requireSession);
export const signOut = answering(sessions.signOut);
