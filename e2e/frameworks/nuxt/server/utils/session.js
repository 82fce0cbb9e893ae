import { forNode } from "@pawl/node/node";
import { pawl } from "./pawl.js";

const sessions = forNode(pawl);

/** Answers the session's own routes, and what a handler throws of sessions. */
export const handleSessions = async ({ node: { req, res } }, handler = async () => undefined) => {
  let body;
  await sessions.handle(req, res, async () => (body = await handler()));
  return body;
};

/** A handler behind which errors of sessions are answered. */
export const defineSessionHandler = (handler) =>
  defineEventHandler((event) => handleSessions(event, () => handler(event)));

export const createSession = ({ node: { req, res } }, input) => sessions.createSession(req, res, input);
export const getSession = ({ node: { req, res } }) => sessions.getSession(req, res);
export const requireSession = ({ node: { req, res } }, conditions) => sessions.requireSession(req, res, conditions);
export const signOut = ({ node: { req, res } }) => sessions.signOut(req, res);
