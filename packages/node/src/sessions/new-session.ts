import { checkTenantId, type CreateSessionInput, type IssuedSession, type ProviderLogin } from "@pawl/engine";
import type { Millis, TenantId, UserId } from "@pawl/storage";
import { checkAccessCookie } from "../http/cookie-size.js";
import type { TokenTransfer } from "../http/token-transfer.js";
import type { LoginAuth } from "../session-input.js";
import { firstPayload } from "./payload-source.js";
import type { Serving } from "./serving.js";

/** What an application gives for a new session. */
export interface NewSession {
  readonly userId: string;
  readonly tenantId?: string | undefined;
  readonly payload?: object | undefined;
  readonly data?: object | undefined;
  /** How the user has authenticated; now, and without methods, unless given. */
  readonly auth?: LoginAuth | undefined;
  /** The login at an identity provider that the session comes from. */
  readonly identityProvider?: ProviderLogin | undefined;
  /** The user agent unless given. */
  readonly device?: string | undefined;
}

/** Where the tokens of a new session go. */
interface Going {
  readonly transfer?: TokenTransfer;
  readonly address?: string | undefined;
  readonly bindable?: boolean | undefined;
}

/** @throws TypeError for an input that cannot be kept, or would not fit the cookie where it has to. */
export const newSession = async (it: Serving, input: NewSession, going: Going = {}): Promise<IssuedSession> =>
  it.backend.create({ ...(await keptInput(it, input, going)), bindable: going.bindable });

/** As the backend takes it. @throws as `newSession`. */
export const keptInput = async (
  it: Serving,
  input: NewSession,
  { transfer, address }: Going,
): Promise<CreateSessionInput & { readonly tenantId: TenantId }> => {
  const userId = checkUserId(input.userId);
  const tenantId = checkTenantId(input.tenantId);
  const first = await firstPayload(it, { userId, tenantId, given: input.payload });
  // Without types it may be null, which is none and must not become an empty one.
  const payload = first === undefined ? await it.payloads.accept({}) : first;
  const data = await it.data.accept(input.data ?? {});
  const { methods, level, at } = input.auth ?? {};
  const auth = input.auth && { methods, level, at: at as Millis | undefined };
  return {
    userId,
    tenantId,
    payload,
    data,
    auth,
    identityProvider: input.identityProvider,
    form: "pawl",
    device: input.device?.slice(0, 512),
    address: address?.slice(0, 128),
    // Before it is created: a session that could not be handed out must not have ended another one over a limit.
    checkPayload:
      transfer === "cookie" ? (json) => checkAccessCookie(it, { userId, tenantId, payload, auth }, json) : undefined,
  };
};

/** @throws TypeError for an empty text too: an id that got lost must name nobody, and not everybody. */
export const checkUserId = (userId: unknown): UserId => {
  if (typeof userId !== "string" || userId === "") throw new TypeError("userId must be a text that is not empty");
  return userId as UserId;
};
