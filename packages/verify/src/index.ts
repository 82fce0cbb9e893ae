export type { FeedOptions, IntrospectOptions, KeySet, VerifierOptions } from "./options.js";
export type { UnknownReason, Verification, VerifiedSession } from "./outcome.js";
export type { PresentedRequest } from "./presented-token.js";
export { createVerifier, type Verifier } from "./verifier.js";
