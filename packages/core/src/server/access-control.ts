import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, isIPv6, type Socket } from "node:net";
import type { ProblemCode } from "@pawl/protocol";
import { ConfigError } from "../config/config-error.js";
import type { CoreConfig } from "../config/core-config.js";
import { isLoopbackHost } from "../config/network-address.js";

/** The caller, and whether the operation is open. */
interface Caller {
  readonly socket: Socket;
  readonly headers: IncomingHttpHeaders;
  readonly open: boolean;
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

type AccessConfig = Pick<CoreConfig, "host" | "apiKeys" | "ipAllow">;

/**
 * Who may call the core: the rules in order, the first that refuses decides.
 *
 * 1. `address_refused`: `ip_allow` is set and does not name the address.
 * 2. `host_refused`: a `Host` that is neither an address nor one of our names, where a web page could have pointed its own
 *    name at us (DNS rebinding): on loopback, and on every address of a core without keys.
 * 3. `browser_refused`: `Origin`, or `Sec-Fetch-Site` other than `none`: a web page.
 * 4. `api_key_invalid`: keys are set, the operation is not open, and no key matches.
 */
export const createAccessControl = (config: AccessConfig): AccessControl => {
  const isAllowed = addressRule(config.ipAllow);
  const holdsKey = keyRule(config.apiKeys);
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
      ({ headers }) => headers.origin !== undefined || (headers["sec-fetch-site"] ?? "none") !== "none",
    ],
    ["api_key_invalid", ({ headers, open }) => !open && !holdsKey(headers)],
  ];
  return (caller) => rules.find(([, refuses]) => refuses(caller))?.[0];
};

/**
 * A core without keys is for this machine, or for the addresses that `ip_allow` names.
 * @throws ConfigError `invalid_value` when anyone could reach it.
 */
export const assertGuarded = ({ host, apiKeys, ipAllow }: AccessConfig): void => {
  if (isLoopbackHost(host) || apiKeys.length > 0 || ipAllow.length > 0) return;
  throw new ConfigError(
    "invalid_value",
    `'host' is ${host}, which others can reach: set 'api_keys' or 'ip_allow', or use a loopback host such as localhost`,
  );
};

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

/** Compares digests of all keys, so that timing reveals neither which key matches nor how much of it. */
const keyRule = (keys: readonly string[]): ((headers: IncomingHttpHeaders) => boolean) => {
  if (keys.length === 0) return () => true;
  const digests = keys.map(digest);
  return (headers) => {
    const named = headers["api-key"];
    const sent = typeof named === "string" ? named : headers.authorization?.replace(/^Bearer +/i, "");
    if (sent === undefined) return false;
    const sentDigest = digest(sent);
    let fits = false;
    for (const known of digests) fits = timingSafeEqual(known, sentDigest) || fits;
    return fits;
  };
};
