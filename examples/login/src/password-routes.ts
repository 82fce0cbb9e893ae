import { Router, type Request, type Response } from "express";
import { hashPassword, PASSWORD_LENGTH } from "./passwords.js";
import { backTo, field, type Parts } from "./parts.js";
import { type Confirmation, confirmPage, loginPage, passwordPage, registerPage } from "./views.js";

const WRONG = "The name or the password is wrong.";
const TOO_MANY = "Too many tries. Wait a while, or use a passkey.";
const BAD_NAME = "A name has 3 to 40 of a-z, 0-9, dots, dashes and underscores.";
const BAD_PASSWORD = `A password has ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters.`;

const isName = (name: string): boolean => /^[a-z0-9._-]{3,40}$/.test(name);
const isPassword = ({ length }: string): boolean => length >= PASSWORD_LENGTH.least && length <= PASSWORD_LENGTH.most;

/** Making an account, logging in, confirming and changing, all with a password. */
export const passwordRoutes = ({ users, passkeys, passwords, sessions }: Parts): Router => {
  const { createSession, getSession, sessionOf, ownerOf, self, confirmed } = sessions;
  const auth = { methods: ["pwd"] };
  const tooMany = (res: Response, seconds: number, view: string) =>
    void res.status(429).set("Retry-After", String(seconds)).send(view);

  const router = Router();
  router.get("/", async (req, res) => {
    const session = await getSession(req, res);
    if (session !== undefined && users.get(session.userId) !== undefined) res.redirect(303, "/account");
    else res.send(loginPage(endingOf(req)));
  });
  router.get("/register", (_req, res) => void res.send(registerPage()));

  router.post("/register", async (req, res) => {
    const [name, password] = [field(req, "name"), field(req, "password")];
    const refuse = (status: number, problem: string) => void res.status(status).send(registerPage(problem, name));
    if (!isName(name)) return refuse(400, BAD_NAME);
    if (!isPassword(password)) return refuse(400, BAD_PASSWORD);
    const added = await passwords.register(name, password, req.ip);
    if (typeof added === "number") return tooMany(res, added, registerPage(TOO_MANY, name));
    // Names are public here. Where they are addresses, answer alike and send a mail, which says whether there was an account.
    if (added === undefined) return refuse(409, "Somebody has that name.");
    await createSession(req, res, { userId: added, auth });
    res.redirect(303, "/account");
  });

  router.post("/login", async (req, res) => {
    const name = field(req, "name");
    const found = await passwords.check(name, field(req, "password"), req.ip);
    if (typeof found === "number") return tooMany(res, found, loginPage(TOO_MANY, name));
    if (found === undefined) return void res.status(401).send(loginPage(WRONG, name));
    await createSession(req, res, { userId: found.id, auth });
    res.redirect(303, "/account");
  });

  const confirmationOf = (req: Request): Confirmation => {
    const user = ownerOf(req);
    const hasPasskey = passkeys.of(user.id).length > 0;
    return { back: backTo(req), user, hasPasskey, onlyPasskey: "passkey" in req.query };
  };
  router.get("/confirm", self, (req, res) => void res.send(confirmPage(confirmationOf(req))));
  router.post("/confirm", self, async (req, res) => {
    const confirmation = confirmationOf(req);
    const found = await passwords.check(confirmation.user.name, field(req, "password"), req.ip);
    if (typeof found === "number") return tooMany(res, found, confirmPage(confirmation, TOO_MANY));
    if (found === undefined) return void res.status(401).send(confirmPage(confirmation, "The password is wrong."));
    await sessionOf(req).stepUp(auth);
    res.redirect(303, confirmation.back);
  });

  router.get("/account/password", confirmed, (req, res) => void res.send(passwordPage(ownerOf(req).name)));
  router.post("/account/password", confirmed, async (req, res) => {
    const password = field(req, "password");
    const session = sessionOf(req);
    if (!isPassword(password)) return void res.status(400).send(passwordPage(ownerOf(req).name, BAD_PASSWORD));
    users.setPassword(session.userId, await hashPassword(password));
    // Whoever knew the old one may be logged in with it.
    await session.endOthers();
    res.redirect(303, "/account");
  });
  return router;
};

const endings: Readonly<Record<string, string>> = {
  idle: "You were logged out, as you had not been here for a while.",
  identity_provider: "You logged out where you had logged in.",
  logout: "You logged out on another page or device.",
  openid: "That login did not come to its end. Try again.",
  revoked: "You were logged out from another device.",
  token_reuse: "Somebody else used your session, so it has ended. Change your password.",
};

/** Why the session ended, if the address says so: as a sentence of ours, whatever it says. */
const endingOf = ({ query }: Request): string | undefined =>
  typeof query["reason"] === "string" ? endings[query["reason"]] : undefined;
