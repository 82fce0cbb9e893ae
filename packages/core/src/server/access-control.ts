import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, isIPv6, type Socket } from "node:net";
import { isFromOwnPage, type ProblemCode } from "@pawl/protocol";
import { ConfigError } from "../config/config-error.js";
import type { CoreConfig } from "../config/core-config.js";
import type { Access, Operation } from "./dialect.js";
import { isLoopbackHost } from "../config/network-address.js";

/** The caller, and what the operation asks of it. */
interface Caller {
  readonly socket: Socket;
  readonly headers: IncomingHttpHeaders;
  readonly access: Access;
  readonly browsers?: Operation["browsers"] | undefined;
}

/** Why a caller is refused, or undefined. */
export type AccessControl = (caller: Caller) => ProblemCode | undefined;

/** What is known of a connection as long as it lasts. */
interface Connection {
  readonly allowed: boolean;
  /** Whether it came in on a loopback address of ours. */
  readonly loopback: boolean;
  /** The last `Host` that was found to be loopback. */
  loopbackHost?: string;
}

/** A name without a dot, as services of a container network have, or under a domain that is never public (RFC 6762, RFC 8375). */
const PRIVATE_NAME = /^[^.]+$|\.(?:local|internal|home\.arpa)\.?$/i;

type AccessConfig = Pick<CoreConfig, "host" | "apiKeys" | "verifierApiKeys" | "ipAllow">;

/**
 * Who may call the core: the rules in order, the first that refuses decides.
 *
 * 1. `address_refused`: `ip_allow` is set and does not name the address.
 * 2. `host_refused`: a `Host` that is neither an address nor one of our names, where a web page could have pointed its own
 *    name at us (DNS rebinding): on loopback, and on every address of a core without keys.
 * 3. `browser_refused`: `Origin`, or `Sec-Fetch-Site` other than `none`: a web page, where no gateway relays its headers, and the
 *    dashboard is not what it asks for, or it is a page of another origin.
 * 4. `api_key_invalid`: keys are set, the operation is not open, and no key that is good for it matches.
 */
export const createAccessControl = (config: AccessConfig): AccessControl => {
  const isAllowed = addressRule(config.ipAllow);
  const holdsKey = keyRule(config);
  const connections = new WeakMap<Socket, Connection>();
  const connectionOf = (socket: Socket): Connection => {
    let known = connections.get(socket);
    if (known === undefined) {
      const { remoteAddress = "", localAddress = "" } = socket;
      known = { allowed: isAllowed(remoteAddress), loopback: isLoopbackHost(localAddress) };
      connections.set(socket, known);
    }
    return known;
  };
  /** Requests on one connection name one host; parsing an address costs more than the rest of this file. */
  const namesLoopback = (connection: Connection, host: string): boolean => {
    if (connection.loopbackHost === host) return true;
    if (!isLoopbackHost(hostName(host))) return false;
    connection.loopbackHost = host;
    return true;
  };
  /** Whether no outsider can have pointed it at us: an address, the name we listen on, or a name that is never public. */
  const isMeant = (host: string): boolean =>
    isIP(host) !== 0 || host.toLowerCase() === config.host.toLowerCase() || PRIVATE_NAME.test(host);
  const rules: readonly (readonly [ProblemCode, (caller: Caller) => boolean])[] = [
    ["address_refused", ({ socket }) => !connectionOf(socket).allowed],
    [
      "host_refused",
      ({ socket, headers: { host } }) => {
        const connection = connectionOf(socket);
        if (host === undefined) return false;
        if (connection.loopback) return !namesLoopback(connection, host);
        return config.apiKeys.length === 0 && !isMeant(hostName(host));
      },
    ],
    [
      "browser_refused",
      ({ headers, browsers }) =>
        browsers === undefined
          ? headers.origin !== undefined || (headers["sec-fetch-site"] ?? "none") !== "none"
          : browsers === "own_page" && !isFromOurPage(headers),
    ],
    ["api_key_invalid", ({ headers, access }) => access !== "open" && !holdsKey(headers, access)],
  ];
  return (caller) => rules.find(([, refuses]) => refuses(caller))?.[0];
};

/**
 * A core without keys is for this machine, or for the addresses that `ip_allow` names.
 * @throws ConfigError `invalid_value` when anyone could reach it.
 */
export const assertGuarded = ({ host, apiKeys, ipAllow }: Omit<AccessConfig, "verifierApiKeys">): void => {
  if (isLoopbackHost(host) || apiKeys.length > 0 || ipAllow.length > 0) return;
  throw new ConfigError(
    "invalid_value",
    `'host' is ${host}, which others can reach: set 'api_keys' or 'ip_allow', or use a loopback host such as localhost`,
  );
};

/** Whether no page of another origin sent it, nor led to it. */
const isFromOurPage = ({ host, ...headers }: IncomingHttpHeaders): boolean =>
  isFromOwnPage({ header: (name) => headers[name] as string | undefined, authority: () => host }, []);

/** The host of a `Host` header (RFC 9110 section 7.2), without port and brackets. */
const hostName = (header: string): string => {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header) ?? [];
  return bracketed ?? plain ?? "";
};

const addressRule = (ranges: readonly string[]): ((address: string) => boolean) => {
  if (ranges.length === 0) return () => true;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // Takes an IPv4 address that came in through an IPv6 socket as IPv4, and a link-local one without its zone.
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
};

const digest = (key: string): Buffer => createHash("sha256").update(key).digest();

/**
 * Compares digests of all keys that are good for the operation, so that timing reveals neither which key matches nor how much
 * of it.
 */
const keyRule = ({
  apiKeys,
  verifierApiKeys,
}: AccessConfig): ((headers: IncomingHttpHeaders, access: Exclude<Access, "open">) => boolean) => {
  if (apiKeys.length === 0) return () => true;
  const full = apiKeys.map(digest);
  const digests = { full, verifier: [...full, ...verifierApiKeys.map(digest)] };
  return (headers, access) => {
    const sent = sentKey(headers);
    if (sent === undefined) return false;
    const sentDigest = digest(sent);
    let fits = false;
    for (const known of digests[access]) fits = timingSafeEqual(known, sentDigest) || fits;
    return fits;
  };
};

/** Who calls, for the audit trail: never the key itself. */
export interface CallerInformation {
  /** The first 8 hexadecimal digits of the SHA-256 of the API key that was sent. */
  readonly apiKey?: string | undefined;
  readonly address?: string | undefined;
  /** What the caller calls itself. */
  readonly client?: string | undefined;
}

/** Who made a request. */
export const callerOf = ({
  headers,
  address,
}: {
  readonly headers: IncomingHttpHeaders;
  readonly address?: string | undefined;
}): CallerInformation => {
  const key = sentKey(headers);
  return {
    apiKey: key === undefined ? undefined : digest(key).toString("hex").slice(0, 8),
    address,
    client: headers["user-agent"]?.slice(0, 128),
  };
};

/** A key in `api-key`, as a bearer token, or as the password of basic credentials, which OAuth's resource servers send. */
const sentKey = ({ "api-key": named, authorization }: IncomingHttpHeaders): string | undefined => {
  if (typeof named === "string") return named;
  const [, basic] = /^Basic +([a-z0-9+/]+=*)$/i.exec(authorization ?? "") ?? [];
  if (basic === undefined) return authorization?.replace(/^Bearer +/i, "");
  const credentials = Buffer.from(basic, "base64").toString("latin1");
  // Form-encoded (RFC 6749 section 2.3.1), of which a key knows only this.
  return credentials.slice(credentials.indexOf(":") + 1).replaceAll(/%3d/gi, "=");
};
