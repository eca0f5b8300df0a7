/**
 * What kind of network an address belongs to. Only public addresses are reached without being named: an address
 * that means something to the host alone (itself, its neighbours, its cloud's metadata) is the goal of every
 * request forgery. IANA's special-purpose registries for IPv4 and IPv6, RFC 6890 and its successors.
 */

import { formatNetwork, parseNetwork } from "../../policy/index.ts";

export type AddressKind =
  | "public"
  | "unspecified"
  | "loopback"
  | "private"
  | "link-local"
  | "shared"
  | "multicast"
  | "reserved"
  | "malformed";

const ranges: readonly (readonly [string, AddressKind])[] = [
  ["0.0.0.0/8", "unspecified"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "shared"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"], // with the metadata services of most clouds
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "reserved"],
  ["192.0.2.0/24", "reserved"],
  ["192.31.196.0/24", "reserved"],
  ["192.52.193.0/24", "reserved"],
  ["192.88.99.0/24", "reserved"],
  ["192.168.0.0/16", "private"],
  ["192.175.48.0/24", "reserved"],
  ["198.18.0.0/15", "reserved"],
  ["198.51.100.0/24", "reserved"],
  ["203.0.113.0/24", "reserved"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["168.63.129.16/32", "reserved"], // a cloud's wire server: public by number, of the host by meaning
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["64:ff9b:1::/48", "private"],
  ["100::/64", "reserved"],
  ["2001::/23", "reserved"],
  ["2001:db8::/32", "reserved"],
  ["3fff::/20", "reserved"],
  ["5f00::/16", "reserved"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "private"],
  ["ff00::/8", "multicast"],
];

/** IPv6 networks that carry an IPv4 address, and how many bits stand behind it. What counts is that address. */
const carriers: readonly (readonly [string, bigint])[] = [
  ["::ffff:0:0/96", 0n], // mapped
  ["::ffff:0:0:0/96", 0n], // translated
  ["::/96", 0n], // compatible, deprecated
  ["64:ff9b::/96", 0n], // NAT64
  ["2002::/16", 80n], // 6to4
];

interface Range {
  readonly value: bigint;
  readonly shift: bigint;
  readonly bits: number;
}

const parsedRanges = ranges.map(([text, kind]) => ({ kind, ...rangeOf(text) }));
const parsedCarriers = carriers.map(([text, behind]) => ({ behind, ...rangeOf(text) }));

/** The kind of an address in strict decimal or hexadecimal form, as a resolver gives it. */
export function addressKind(address: string): AddressKind {
  const parsed = parseNetwork(address);
  // A network of one address is none to connect to: the system would ask its resolver for it.
  if (parsed === undefined || address.includes("/")) return "malformed";
  return kindOf(parsed.value, parsed.bits);
}

/**
 * The one spelling of an address, undefined when it is none. An IPv4 address that IPv6 maps is that one: it is what the
 * system connects to.
 */
export function canonicalAddress(address: string): string | undefined {
  const parsed = parseNetwork(address);
  if (parsed === undefined || parsed.prefix !== parsed.bits) return undefined;
  const isMapped = parsed.bits === 128 && parsed.value >> 32n === 0xffffn;
  return formatNetwork(isMapped ? ipv4Of(parsed.value) : parsed);
}

/** An address in its one spelling and, where it carries one of IPv4, that one: whoever denies one means both. */
export function addressesMeant(address: string): readonly string[] {
  const canonical = canonicalAddress(address);
  const parsed = canonical === undefined ? undefined : parseNetwork(canonical);
  if (canonical === undefined || parsed === undefined) return [];
  const carrier = parsedCarriers.find((range) => contains(range, parsed.value, parsed.bits));
  return carrier === undefined
    ? [canonical]
    : [canonical, formatNetwork(ipv4Of(parsed.value >> carrier.behind))];
}

function ipv4Of(value: bigint) {
  return { value: value & 0xffff_ffffn, bits: 32, prefix: 32 } as const;
}

/** Whether an address lies in one of these networks (`192.168.1.0/24`) or is one of these addresses. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  const parsed = parseNetwork(address);
  if (parsed === undefined) return false;
  return networks.some((text) => {
    const network = parseNetwork(text);
    if (network === undefined || network.bits !== parsed.bits) return false;
    const shift = BigInt(network.bits - network.prefix);
    return parsed.value >> shift === network.value >> shift;
  });
}

function kindOf(value: bigint, bits: 32 | 128): AddressKind {
  for (const range of parsedRanges) if (contains(range, value, bits)) return range.kind;
  if (bits === 32) return "public";
  for (const carrier of parsedCarriers) {
    if (contains(carrier, value, bits)) return kindOf((value >> carrier.behind) & 0xffff_ffffn, 32);
  }
  // Only 2000::/3 is given out; all else means nothing yet, or something local.
  return value >> 125n === 1n ? "public" : "reserved";
}

function contains(range: Range, value: bigint, bits: number): boolean {
  return range.bits === bits && value >> range.shift === range.value >> range.shift;
}

function rangeOf(text: string): Range {
  const network = parseNetwork(text);
  if (network === undefined) throw new Error(`Invariant broken: "${text}" is a network`);
  return { value: network.value, bits: network.bits, shift: BigInt(network.bits - network.prefix) };
}
