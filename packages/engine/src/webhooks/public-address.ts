import { lookup as resolve } from "node:dns";
import { BlockList, isIPv6, type LookupFunction } from "node:net";

/** Of IPv4 what is not public: the IANA special-purpose registry (RFC 6890), multicast and reserved. */
const privateIPv4 = new BlockList();
for (const [address, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  privateIPv4.addSubnet(address, prefix, "ipv4");

/** Of IPv6 what may be public at all, and what of it is not: protocols of their own, documentation, and IPv4 inside (6to4). */
const globalIPv6 = new BlockList();
globalIPv6.addSubnet("2000::", 3, "ipv6");
const specialIPv6 = new BlockList();
for (const [address, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  specialIPv6.addSubnet(address, prefix, "ipv6");

/** Whether an address is one of the public internet. */
export const isPublicAddress = (address: string): boolean =>
  isIPv6(address)
    ? globalIPv6.check(address, "ipv6") && !specialIPv6.check(address, "ipv6")
    : !privateIPv4.check(address, "ipv4");

/** Why nothing is sent to a destination. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
  readonly code = "PRIVATE_ADDRESS";
}

/**
 * Resolves a name, and refuses it when any of its addresses is not public. The addresses that were checked are those that are
 * connected to: a name that answers otherwise a moment later gains nothing.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    if (!addresses.every(({ address }) => isPublicAddress(address)))
      return callback(new PrivateAddressError("the name leads to an address that is not public"), []);
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    callback(null, first?.address ?? "", first?.family);
  });
};
