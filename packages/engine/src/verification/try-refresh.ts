import type { TryRefreshReason, VerifyOutcome } from "../session.js";

const messages: Readonly<Record<TryRefreshReason, string>> = {
  malformed: "access token is malformed",
  unsupported_header: "access token header is not supported",
  unknown_key: "access token was not signed with a known key",
  bad_signature: "access token signature is not valid",
  incomplete: "Access token does not contain all the information. Maybe the structure has changed?",
  expired: "Access token expired",
  outdated: "the session has changed since the access token was made",
  wrong_audience: "access token is of another issuer, or for another audience",
  anti_csrf: "anti-csrf check failed",
};

/** The refusal of a token that a refresh may replace. */
export const tryRefresh = (why: TryRefreshReason): Extract<VerifyOutcome, { kind: "try_refresh" }> => ({
  kind: "try_refresh",
  why,
  message: messages[why],
});
