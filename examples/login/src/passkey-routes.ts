import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { type Request, type Response, Router } from "express";
import { backTo, field, type Parts } from "./parts.js";
import { PASSKEY_METHODS } from "./sessions.js";
import type { User } from "./users.js";
import { newPasskeyPage } from "./views.js";

const KIND = "passkey";
const UNKNOWN = "That passkey is not known here.";

/** What was asked of a browser: within which session, or for a login. */
interface Asked {
  readonly challenge: string;
  readonly handle?: string | undefined;
}

/** Adding passkeys, logging in and confirming with them. The page's script brings what `navigator.credentials` says. */
export const passkeyRoutes = ({ users, passkeys, begun, sessions, origin }: Parts): Router => {
  const { createSession, sessionOf, ownerOf, self, confirmed } = sessions;
  const rpID = new URL(origin).hostname;
  const expected = { expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true };
  const refuse = (res: Response, message: string) => void res.status(403).json({ message });

  const askForPasskey = async (res: Response, owner?: { readonly handle: string; readonly userId: string }) => {
    // At a login it is the browser that knows which passkeys there are: we name none, and so tell nobody.
    const allowCredentials = owner && passkeys.of(owner.userId).map(({ id }) => ({ id }));
    const options = await generateAuthenticationOptions({
      rpID,
      userVerification: "required",
      ...(allowCredentials && { allowCredentials }),
    });
    begun.put(res, KIND, { challenge: options.challenge, handle: owner?.handle } satisfies Asked);
    res.json(options);
  };

  /** Whose passkey answers what this browser was asked, within that session or for a login. */
  const checkPasskey = async (req: Request, res: Response, within?: string): Promise<User | undefined> => {
    const { challenge: expectedChallenge, handle } = begun.take<Asked>(req, res, KIND);
    const credential = passkeys.get(field(req, "id"));
    if (expectedChallenge === undefined || handle !== within || credential === undefined) return undefined;
    const response = req.body as AuthenticationResponseJSON;
    const checked = verifyAuthenticationResponse({ ...expected, response, expectedChallenge, credential });
    const { verified, authenticationInfo } = await checked.catch(() => ({
      verified: false as const,
      authenticationInfo: undefined,
    }));
    if (!verified || authenticationInfo === undefined) return undefined;
    passkeys.setCounter(credential.id, authenticationInfo.newCounter);
    return users.get(credential.userId);
  };

  const router = Router();
  router.get("/passkeys/new", confirmed, (_req, res) => void res.send(newPasskeyPage()));
  router.post("/passkeys/new/options", confirmed, async (req, res) => {
    const { id, name } = ownerOf(req);
    const options = await generateRegistrationOptions({
      rpID,
      rpName: "Pawl's login",
      userName: name,
      userID: Buffer.from(id),
      excludeCredentials: passkeys.of(id).map((passkey) => ({ id: passkey.id })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    begun.put(res, KIND, { challenge: options.challenge, handle: sessionOf(req).handle } satisfies Asked);
    res.json(options);
  });
  router.post("/passkeys/new", confirmed, async (req, res) => {
    const { challenge: expectedChallenge, handle } = begun.take<Asked>(req, res, KIND);
    const session = sessionOf(req);
    if (expectedChallenge === undefined || handle !== session.handle) return refuse(res, "Try again.");
    const response = req.body as RegistrationResponseJSON;
    const checked = await verifyRegistrationResponse({ ...expected, response, expectedChallenge }).catch(
      () => undefined,
    );
    if (checked?.registrationInfo === undefined) return refuse(res, "That is no passkey for this page.");
    passkeys.add(session.userId, checked.registrationInfo);
    res.json({ location: "/account" });
  });
  router.post("/passkeys/remove", confirmed, (req, res) => {
    passkeys.remove(sessionOf(req).userId, field(req, "id"));
    res.redirect(303, "/account");
  });

  router.post("/passkeys/login/options", (_req, res) => askForPasskey(res));
  router.post("/passkeys/login", async (req, res) => {
    const user = await checkPasskey(req, res);
    if (user === undefined) return refuse(res, UNKNOWN);
    await createSession(req, res, { userId: user.id, auth: { methods: PASSKEY_METHODS } });
    res.json({ location: "/account" });
  });

  router.post("/passkeys/confirm/options", self, (req, res) => askForPasskey(res, sessionOf(req)));
  router.post("/passkeys/confirm", self, async (req, res) => {
    const session = sessionOf(req);
    const user = await checkPasskey(req, res, session.handle);
    if (user?.id !== session.userId) return refuse(res, UNKNOWN);
    await session.stepUp({ methods: PASSKEY_METHODS });
    res.json({ location: backTo(req) });
  });
  return router;
};
