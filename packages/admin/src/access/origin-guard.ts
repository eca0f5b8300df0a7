/**
 * Whether a request was meant for this interface. A page on the web can make a browser send requests to loopback, and
 * a name that changes its address (DNS rebinding) makes them look like its own. Such a request carries the page's
 * name in `Host` or `Origin`, and that is none of ours.
 */

import { adminErrors } from "../errors.ts";

export interface OriginGuardOptions {
  /** Names and addresses under which the interface is known beside loopback's, without port. */
  readonly hosts: readonly string[];
  /** Pages elsewhere that may call it from a browser: `https://console.example.org`. */
  readonly origins: readonly string[];
}

const loopback: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** @param reachedAt The address of this machine that the request's connection came to. */
export type OriginGuard = (
  headers: {
    readonly host?: string | undefined;
    readonly origin?: string | string[] | undefined;
    readonly "sec-fetch-site"?: string | string[] | undefined;
  },
  reachedAt?: string,
) => void;

/** @returns Throws `admin/foreign-host` for a request that came from, or for, somebody else. */
export function originGuard({ hosts, origins }: OriginGuardOptions): OriginGuard {
  const own = new Set([...loopback, ...hosts.map((host) => host.toLowerCase())]);
  return ({ host = "", origin, ...more }, reachedAt) => {
    const name = hostName(host);
    // An address that is written out, and leads here, is no name that somebody else has turned to us.
    if (name === undefined || !(own.has(name) || name === written(reachedAt)))
      throw adminErrors["foreign-host"]({ what: "host", found: host });
    if (origin !== undefined) {
      const text = String(origin);
      if (!origins.includes(text) && !isOwnOrigin(text, host)) {
        throw adminErrors["foreign-host"]({ what: "origin", found: text });
      }
    } else if (more["sec-fetch-site"] === "cross-site") {
      // A browser that sends no origin, for an image or a link, says at least this.
      throw adminErrors["foreign-host"]({ what: "site", found: "cross-site" });
    }
  };
}

/** RFC 9112 §3.2: a name or address and an optional port, and nothing else. */
function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/.exec(host.toLowerCase());
  return match?.[1];
}

/** RFC 3986 §3.2.2; what came by IPv4 to a socket of IPv6 has its address within another. */
function written(address: string | undefined): string | undefined {
  const plain = address?.replace(/^::ffff:(?=[\d.]+$)/, "");
  return plain?.includes(":") ? `[${plain}]` : plain;
}

/** The page of this interface itself: its origin is the host that it was asked by. */
function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}
