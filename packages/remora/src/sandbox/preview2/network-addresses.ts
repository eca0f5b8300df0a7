/** Addresses of wasi:sockets as text, and back. */

import { isIP } from "node:net";
import { parseNetwork } from "../../policy/index.ts";
import type { Endpoint } from "../net/sockets.ts";

export type IpAddress =
  | { readonly tag: "ipv4"; readonly val: readonly number[] }
  | { readonly tag: "ipv6"; readonly val: readonly number[] };

export type IpSocketAddress =
  | { readonly tag: "ipv4"; readonly val: { readonly port: number; readonly address: readonly number[] } }
  | {
      readonly tag: "ipv6";
      readonly val: {
        readonly port: number;
        readonly flowInfo: number;
        readonly address: readonly number[];
        readonly scopeId: number;
      };
    };

/** The family of WIT's name. */
export type IpFamily = "ipv4" | "ipv6";

export function endpointOf({ tag, val }: IpSocketAddress): Endpoint {
  const address =
    tag === "ipv4" ? val.address.join(".") : val.address.map((group) => group.toString(16)).join(":");
  return { address, port: val.port };
}

export function socketAddressOf({ address, port }: Endpoint): IpSocketAddress {
  const ip = ipAddressOf(address);
  return ip.tag === "ipv4"
    ? { tag: "ipv4", val: { port, address: ip.val } }
    : { tag: "ipv6", val: { port, flowInfo: 0, address: ip.val, scopeId: 0 } };
}

export function ipAddressOf(text: string): IpAddress {
  const bare = text.split("%")[0] ?? "";
  const value = parseNetwork(bare)?.value ?? 0n;
  if (isIP(bare) === 4) {
    return { tag: "ipv4", val: [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 255n)) };
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  return { tag: "ipv6", val: groups };
}
