import {
  type DeviceBinding,
  type IdentityProvider,
  isIdentityProvider,
  type JsonObject,
  PROVIDER_FORM,
} from "@pawl/engine";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DEVICE_ROUTE, isOfOtherRoute } from "../http/refresh-path.js";
import {
  checkBackendOptions,
  clientTable,
  engineTable,
  originList,
  type OptionTables,
  policyOf,
} from "./backend-options.js";
import {
  duration,
  durationOf,
  either,
  flag,
  group,
  hook,
  list,
  objectWith,
  oneOf,
  type OptionsOf,
  type OptionTable,
  text,
  type WithRequired,
} from "./option.js";
import type { SameSite } from "../http/cookie-header.js";
import type { LoadPayload, MigratePayload } from "../session-input.js";
import { type Adoption, checkAdoption } from "./adoption.js";

/** Whose refresh token came back that no honest client could still hold. */
export interface TokenTheft {
  readonly handle: string;
  readonly userId: string;
  /** Refreshes that found it since the last call for this session. */
  readonly count: number;
}

const isName = (value: unknown): boolean => typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value);

const cookieTable = {
  /** Hosts that get the cookies: this one and all below it. Left out, the safer choice: only the host that sets them. */
  domain: text("a host name", /^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i),
  /** `none` is for pages of other sites, to which many browsers give no cookies: see `headerMode`. */
  sameSite: oneOf<SameSite>(["strict", "lax", "none"], "lax"),
  /** With `/session`, say, no other request carries the refresh cookie: pages use `@pawl/web`, and nothing is refreshed in place. */
  refreshPath: text('a path such as "/session"', /^\/[\x20-\x3a\x3c-\x7e]*$/, '"/"'),
  /** Starts the cookies' names. Applications that share a host need different ones. */
  prefix: text("letters, digits, - and _", /^[\w-]{1,64}$/, '"pawl"'),
  /** Names that the cookies had before a change, still read. */
  alsoRead: list<string>("a list of cookie names", isName),
} as const satisfies OptionTable;

export type CookieOptions = OptionsOf<typeof cookieTable>;

const commonTable = {
  /** The cookies of the session; nothing has to be set. */
  cookies: group<CookieOptions>(),
  /** Where the routes are: `<basePath>/session/refresh` and `<basePath>/signout`. */
  basePath: text('a path such as "/auth"', /^\/[\x21-\x7e]*$/),
  /** Pages that may call, besides the application's own. */
  origins: originList,
  /** For pages with the unmodified SDK in cookie mode (run with 20.1.6): cookies by its documented names, `sAccessToken` and `sRefreshToken`, of which the latter goes to `<basePath>/session/refresh` alone. The page refreshes, and a sibling host can plant such cookies. */
  frontend: oneOf(["supertokens-website"]),
  /** Whether clients may have their tokens in headers instead of cookies: for native applications and pages of other sites. */
  headerMode: flag(false),
  /** Called when a refresh of this process finds a stolen token, once per session and hour. */
  onTokenTheft: hook<(theft: TokenTheft) => void | Promise<void>>(),
  /** Takes the place of the machine's clock, in tests: `now()` says the ms since the epoch. */
  clock: objectWith<{ now(): number }>("an object with a method now()", "now"),
} as const satisfies OptionTable;

/** What an application says of payloads. */
const payloadTable = {
  /** Asked at a login without a payload and after each refresh that makes new tokens: what it says is what the session carries from then on. While somebody acts for another user it is asked about who acts. It has 2 seconds, and at a refresh no more than a fifteenth of the reuse window; after that, or where it fails, the payload stays, and a login is answered 503. */
  loadPayload: hook<LoadPayload<object>>(),
  /** Asked at a refresh, with a stored payload that does not fit the schema any more: says one that does. Without it, and without `loadPayload`, whatever reads such a payload is answered 503. */
  migratePayload: hook<MigratePayload<object>>(),
  /** Sessions of another system, which go on here without a new login until a time: `{ cookies, until, load }`. */
  adopt: group<Adoption<object, object>>(),
} as const satisfies OptionTable;

const embeddedTable = {
  ...commonTable,
  ...engineTable,
  /** For how long somebody may act for another user at a time. */
  longestActing: duration('"1h"'),
  /** With `audience`: access tokens are those of RFC 9068, made by this issuer (`iss`), and no others are accepted. */
  issuer: text("an https URL without query, fragment and user name (http on localhost alone)"),
  /** With `issuer`: the APIs that access tokens are for (`aud`). */
  audience: either(
    text("a name or URL"),
    list<string>("a list of such", (value) => typeof value === "string", 1),
  ),
  /** Identity providers (OpenID Connect) that may end the sessions of their logins, by `POST <basePath>/session/backchannel-logout`. */
  identityProviders: list<IdentityProvider>(`a list of ${PROVIDER_FORM}`, isIdentityProvider),
  /** Binds sessions to a key of the browser's device (DBSC): `prefer` in browsers that can; `require`: others cannot be refreshed. Access tokens then live 5 minutes or more. */
  deviceBinding: oneOf<DeviceBinding>(["off", "prefer", "require"], "off"),
} as const;
const coreTable = { ...commonTable, ...clientTable } as const;
export const optionTables = {
  embedded: { ...embeddedTable, ...payloadTable },
  core: { ...coreTable, ...payloadTable },
  cookies: cookieTable,
} as const satisfies OptionTables;

/** Schemas of what an application keeps in a session (Standard Schema: zod, valibot, arktype and others). */
interface ShapeOptions<
  Payload extends object,
  Data extends object,
  PayloadInput extends object,
  DataInput extends object,
> {
  /** Of the payload, which access tokens carry: every verifier knows it. */
  readonly payload?: StandardSchemaV1<PayloadInput, Payload> | undefined;
  /** Of the data, which stay on the server. */
  readonly data?: StandardSchemaV1<DataInput, Data> | undefined;
  readonly loadPayload?: LoadPayload<NoInfer<PayloadInput>> | undefined;
  readonly migratePayload?: MigratePayload<NoInfer<PayloadInput>> | undefined;
  readonly adopt?: Adoption<NoInfer<PayloadInput>, NoInfer<DataInput>> | undefined;
}

/** The engine in this process. */
export type EmbeddedOptions = WithRequired<OptionsOf<typeof embeddedTable>, "storage">;
/** A core, over HTTP. */
export type CoreOptions = WithRequired<OptionsOf<typeof coreTable>, "core">;

export type PawlOptions<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
  PayloadInput extends object = Payload,
  DataInput extends object = Data,
> = (EmbeddedOptions | CoreOptions) & ShapeOptions<Payload, Data, PayloadInput, DataInput>;

export type BackendOptions = (EmbeddedOptions | CoreOptions) & OptionsOf<typeof payloadTable>;

export const isForCore = (options: BackendOptions): options is CoreOptions =>
  (options as Partial<CoreOptions>).core !== undefined;

/**
 * A refresh cookie that browsers do not send to the refresh route would log everybody out when the first access token ends.
 */
const checkRefreshPath = ({ basePath = "", cookies: { refreshPath = "/" } = {} }: BackendOptions): void => {
  const route = `${basePath.replace(/\/+$/u, "")}/session/refresh`;
  if (!isOfOtherRoute(refreshPath, route)) return;
  throw new TypeError(
    `cookies.refreshPath is "${refreshPath}", so browsers do not send the refresh cookie to "${route}": begin it with the base path`,
  );
};

/** Why browsers could not bind sessions with these options; undefined: they can. */
export const bindingHindrance = ({ basePath = "", cookies = {}, frontend }: BackendOptions): string | undefined => {
  const route = `${basePath.replace(/\/+$/u, "")}${DEVICE_ROUTE}`;
  const { domain, refreshPath = "/" } = cookies;
  if (frontend !== undefined) return "frontend sends the refresh cookie to its own route alone";
  if (domain !== undefined) return "cookies.domain gives the cookies to several hosts, and a browser refreshes for one";
  if (refreshPath === "/" || route.startsWith(`${refreshPath.replace(/\/$/u, "")}/`)) return undefined;
  return `cookies.refreshPath keeps the refresh cookie from "${route}"`;
};

const checkBinding = (options: BackendOptions): void => {
  const { deviceBinding = "off" } = options as Partial<EmbeddedOptions>;
  const hindrance = deviceBinding === "off" ? undefined : bindingHindrance(options);
  if (hindrance !== undefined) throw new TypeError(`deviceBinding cannot be given here: ${hindrance}`);
  if (deviceBinding === "require" && options.headerMode === true)
    throw new TypeError(
      "deviceBinding cannot be required here: with headerMode, some sessions have no browser to bind them",
    );
};

/**
 * Where nobody can refresh twice at once, or not without a key, nobody can be adopted by several requests at once.
 * @throws TypeError for such rules of the backend.
 */
export const checkAdopting = (
  { adopt }: BackendOptions,
  { reuseWindow, deviceBinding }: Pick<EmbeddedOptions, "reuseWindow" | "deviceBinding">,
): void => {
  if (adopt === undefined) return;
  if (durationOf(reuseWindow) === 0)
    throw new TypeError(
      "adopt cannot be given here: without a reuseWindow, a page's first requests would look like a theft",
    );
  if (deviceBinding === "require")
    throw new TypeError("adopt cannot be given here: deviceBinding is required, which a login alone can begin");
};

/** @throws TypeError for an option that cannot be right. */
export const checkPawlOptions = (options: BackendOptions): void => {
  checkBackendOptions(options, optionTables);
  if (options.frontend !== undefined && options.cookies?.prefix !== undefined)
    throw new TypeError("cookies.prefix cannot be given here: frontend gives the cookies their names");
  checkRefreshPath(options);
  checkBinding(options);
  if (options.adopt !== undefined) checkAdoption(options.adopt);
  if (!isForCore(options)) checkAdopting(options, options);
  try {
    if (!isForCore(options)) policyOf(options);
  } catch (cause) {
    throw new TypeError((cause as Error).message, { cause });
  }
};
