import { Router } from "express";
import * as openid from "openid-client";
import { backTo, type Parts } from "./parts.js";

const KIND = "openid";
const DAY = 86_400;
const MINUTE = 60;

/** What a browser was sent away with: for a login, or for a confirmation within a session. */
interface Asked {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** How long ago the user may have authenticated there, in seconds. Being asked, the provider has to say when that was. */
  readonly maxAge: number;
  readonly handle?: string;
  readonly back?: string;
}

/** Logging in and confirming at an OpenID provider, with the authorization code flow and PKCE. */
export const openidRoutes = ({ users, begun, sessions, origin, provider }: Parts): Router => {
  const { createSession, getSession, sessionOf, self } = sessions;
  const { issuer, clientId, clientSecret } = provider;
  const redirectUri = new URL("/openid/callback", origin).href;

  // Plain HTTP is for a provider on this machine. One that cannot be reached is asked again at the next login.
  const options = issuer.startsWith("http://127.0.0.1:") ? { execute: [openid.allowInsecureRequests] } : {};
  let discovered: Promise<openid.Configuration> | undefined;
  const configuration = () => {
    discovered ??= openid.discovery(new URL(issuer), clientId, clientSecret, undefined, options);
    discovered.catch(() => (discovered = undefined));
    return discovered;
  };

  const startAt = async (more: Pick<Asked, "maxAge" | "handle" | "back">) => {
    const verifier = openid.randomPKCECodeVerifier();
    const asked: Asked = { verifier, state: openid.randomState(), nonce: openid.randomNonce(), ...more };
    const url = openid.buildAuthorizationUrl(await configuration(), {
      redirect_uri: redirectUri,
      scope: "openid",
      state: asked.state,
      nonce: asked.nonce,
      max_age: String(asked.maxAge),
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...(more.handle !== undefined && { prompt: "login" }),
    });
    return { url: url.href, asked };
  };

  const router = Router();
  router.get("/openid/login", async (_req, res) => {
    const { url, asked } = await startAt({ maxAge: DAY });
    begun.put(res, KIND, asked);
    res.redirect(303, url);
  });
  router.get("/openid/confirm", self, async (req, res) => {
    const { url, asked } = await startAt({ maxAge: MINUTE, handle: sessionOf(req).handle, back: backTo(req) });
    begun.put(res, KIND, asked);
    res.redirect(303, url);
  });

  router.get("/openid/callback", async (req, res) => {
    const { verifier, state, nonce, maxAge = 0, handle, back = "/account" } = begun.take<Asked>(req, res, KIND);
    const checks = {
      pkceCodeVerifier: verifier!,
      expectedState: state!,
      expectedNonce: nonce!,
      maxAge,
      idTokenExpected: true,
    };
    const tokens =
      verifier &&
      (await openid
        .authorizationCodeGrant(await configuration(), new URL(req.originalUrl, origin), checks)
        .catch(() => undefined));
    const claims = tokens && tokens.claims();
    if (!claims) return res.redirect(303, "/?reason=openid");
    const user = users.ofProvider(claims.iss, claims.sub);

    if (handle !== undefined) {
      const session = await getSession(req, res);
      if (session?.handle !== handle || session.userId !== user.id || session.actor)
        return res.redirect(303, "/account");
      await session.stepUp({});
      return res.redirect(303, back);
    }
    await createSession(req, res, {
      userId: user.id,
      // How it was done, the provider knows: the methods that we ask for are those that we have checked.
      auth: { at: Number(claims.auth_time) * 1000 },
      identityProvider: { issuer: claims.iss, subject: claims.sub, sessionId: claims["sid"] as string | undefined },
    });
    res.redirect(303, "/account");
  });
  return router;
};
