import { BlockList, isIP, isIPv6 } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether a host name or address can only be reached from this machine: `localhost`, 127.0.0.0/8, `::1`. */
export const isLoopbackHost = (host: string): boolean =>
  host.toLowerCase() === "localhost" || (isIP(host) !== 0 && loopback.check(host, isIPv6(host) ? "ipv6" : "ipv4"));

/** Whether a text can be listened on: an IPv4 or IPv6 address without brackets, or a host name without port. */
export const isListenHost = (host: string): boolean =>
  isIP(host) !== 0 || /^[a-z0-9_]([a-z0-9_.-]{0,252})$/i.test(host);

/** Whether a text is an IP address, or a range in CIDR notation such as `10.0.0.0/8` (RFC 4632). */
export const isAddressRange = (text: string): boolean => {
  const [, address, prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address ?? "");
  return version !== 0 && (prefix === undefined || Number(prefix) <= (version === 4 ? 32 : 128));
};
