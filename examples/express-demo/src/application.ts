import { Error as SessionError, type ErrorType, type Pawl } from "@pawl/supertokens";
import { type ErrorRequestHandler, Router } from "express";
import { refreshPath, type SessionErrorCode } from "./page/answers.js";

/** What a real application would have: login, a protected API, refresh, two ways to log out, and errors as answers. */
export const createApplication = (pawl: Pawl): Router => {
  const application = Router();

  application.post("/login", async (req, res) => {
    const name = readName(req.body);
    if (name === undefined) {
      res.status(400).json({ message: "A name of 1 to 40 characters is wanted" });
      return;
    }
    // A real application would have checked a password by now.
    await pawl.createNewSession(res, name, { role: "reader" }, { loggedInAt: new Date().toISOString() });
    res.json({ message: `Welcome, ${name}` });
  });

  application.get("/api/greeting", async (req, res) => {
    const session = await pawl.getSession(req, res, false);
    res.json({ message: `Hello ${session.getUserId()}, this is for you alone` });
  });

  application.post(refreshPath, async (req, res) => {
    await pawl.refreshSession(req, res);
    res.json({ message: "refreshed" });
  });

  application.post("/logout", async (req, res) => {
    const session = await pawl.getSession(req, res, true);
    await session.revokeSession();
    res.json({ ended: 1 });
  });

  application.post("/logout/everywhere", async (req, res) => {
    const session = await pawl.getSession(req, res, true);
    const others = await pawl.sessions.revokeOthers(session);
    // This one last: it also clears the cookies of this browser.
    await session.revokeSession();
    res.json({ ended: others + 1 });
  });

  application.use(answerSessionError);
  return application;
};

const answers: Readonly<Record<ErrorType, { readonly status: number; readonly code: SessionErrorCode }>> = {
  [SessionError.TRY_REFRESH_TOKEN]: { status: 401, code: "try_refresh_token" },
  [SessionError.UNAUTHORISED]: { status: 401, code: "unauthorised" },
  [SessionError.TOKEN_THEFT_DETECTED]: { status: 401, code: "token_theft_detected" },
  // Nothing is known of the session: the cookies are kept, and the browser tries again later.
  [SessionError.GENERAL_ERROR]: { status: 503, code: "unavailable" },
};

const answerSessionError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (!SessionError.isErrorFromAuth(error)) {
    next(error);
    return;
  }
  const { status, code } = answers[error.errType];
  if (status === 503) res.set("Retry-After", String(error.retryAfter ?? 2));
  res.status(status).json({ code, message: error.message });
};

const readName = (body: unknown): string | undefined => {
  const name = (body as { readonly name?: unknown } | undefined)?.name;
  if (typeof name !== "string") return undefined;
  const trimmed = name.trim();
  return trimmed.length >= 1 && trimmed.length <= 40 && !trimmed.includes("\0") ? trimmed : undefined;
};
