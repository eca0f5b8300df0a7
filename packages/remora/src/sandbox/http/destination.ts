/**
 * Where a connection may really go. The gate has decided on the origin; here its name is resolved once, every address is
 * checked, and the one that was checked is what is connected to, so that a name which answers differently a moment
 * later changes nothing. What HTTP and WebSocket have in common.
 */

import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { type Grant, parseNetwork } from "../../policy/index.ts";
import type { Gate } from "../gate.ts";
import type { SandboxLimits } from "../limits.ts";
import { addressesMeant, isInNetworks } from "../net/address.ts";
import { type Resolve, TooManyLookups } from "../net/lookups.ts";
import { addressKindHere } from "../net/own-addresses.ts";
import type { Traffic } from "../net/traffic.ts";
import { HttpFailure } from "./failure.ts";
import { http as httpSchemes, type Target, targetOf, webSocket } from "./target.ts";

export interface NetworkOptions {
  readonly gate: Gate;
  readonly limits: SandboxLimits;
  /** Rejects with `TooManyLookups` what is one too many. */
  readonly resolve: Resolve;
  /** Counts what goes out and comes in. */
  readonly traffic: Traffic;
  /** Networks and addresses that are reached though they are not public: `192.168.1.0/24`. */
  readonly addresses: readonly string[];
  /** Trusted certificates, as `node:tls` takes them. Default: the system's. */
  readonly certificates?: string;
}

/** Passes the gate for an origin. @throws HttpFailure `HTTP-request-denied`; then nothing was resolved. */
export function checkOrigin({ origin }: Target, gate: Gate): void {
  gate.act(
    "net.http",
    origin,
    () => {},
    (): never => {
      throw new HttpFailure({ tag: "HTTP-request-denied" }, `${origin} is not granted`);
    },
  );
}

/**
 * The one address to connect to. All that the name has are checked: one that is private condemns the name.
 *
 * @throws HttpFailure `DNS-error`, `destination-IP-prohibited`, `connection-limit-reached`
 */
export async function checkedAddress(target: Target, network: NetworkOptions): Promise<string> {
  const found = target.isAddress ? [target.host] : await resolved(target.host, network.resolve);
  for (const address of found) {
    checkAddress(address, target, network);
    checkDenials(address, target, network.gate);
  }
  const [first] = found;
  if (first === undefined) throw new HttpFailure({ tag: "DNS-error", val: { rcode: "NXDOMAIN" } });
  return first;
}

/** For Node, which would resolve the name again: it gets the address that was checked. */
export function lookupOf(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

/**
 * For one request: neither a connection that the host keeps to some address of that name, nor what an application has made its
 * global agent, such as a proxy's, which resolves the name again. Who it is has to be shown, also where the operator lets the
 * application talk to anybody (`NODE_TLS_REJECT_UNAUTHORIZED=0`).
 */
export function agentOf({ isSecure }: Target): http.Agent {
  return isSecure ? new https.Agent({ rejectUnauthorized: true }) : new http.Agent();
}

async function resolved(name: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(name);
  } catch (error) {
    if (error instanceof TooManyLookups) throw new HttpFailure({ tag: "connection-limit-reached" });
    // Why a name is not found is the host's network's business.
    throw new HttpFailure({ tag: "DNS-error", val: { rcode: "NXDOMAIN" } });
  }
}

function checkAddress(address: string, target: Target, network: NetworkOptions): void {
  if (mayLeadTo(address, target, network)) return;
  const why = `the address ${address} is ${addressKindHere(address)} and not named`;
  network.gate.refuse("net.http", target.origin, why);
  throw new HttpFailure({ tag: "destination-IP-prohibited" });
}

function mayLeadTo(address: string, target: Target, { gate, addresses }: NetworkOptions): boolean {
  const kind = addressKindHere(address);
  if (kind === "public" || kind === "malformed") return kind === "public";
  return (target.isAddress && isNamedOrigin(target.origin, gate.grants)) || isInNetworks(address, addresses);
}

/** Whether what has passed would pass again: what was let pass because it was named must still be. */
export function isStillGiven(target: Target, network: NetworkOptions): boolean {
  if (!network.gate.gives("net.http", target.origin)) return false;
  return !target.isAddress || mayLeadTo(target.host, target, network);
}

/** A denial of an origin that is an address holds for whatever name leads there. */
function checkDenials(address: string, { url, port, origin }: Target, gate: Gate): void {
  for (const meant of addressesMeant(address)) {
    const denied = `${url.protocol}//${isIP(meant) === 6 ? `[${meant}]` : meant}:${port}`;
    if (!gate.forbids("net.http", denied)) continue;
    gate.refuse("net.http", origin, `it leads to ${denied}, of which a denial speaks`);
    throw new HttpFailure({ tag: "destination-IP-prohibited" });
  }
}

/** Whether a grant names this very origin: "*" and "*.example.org" name no address. */
function isNamedOrigin(origin: string, grants: readonly Grant[]): boolean {
  return grants.some(
    (grant) =>
      grant.capability === "net.http" &&
      (grant.origins as readonly string[] | undefined)?.some((named) => canonicalOrigin(named) === origin),
  );
}

function canonicalOrigin(text: string): string | undefined {
  if (text.includes("*") || !URL.canParse(text)) return undefined;
  return targetOf(text, /^wss?:/i.test(text) ? webSocket : httpSchemes).origin;
}

/** @throws TypeError for what is no network or address. */
export function checkNetworks(networks: readonly string[]): readonly string[] {
  for (const text of networks) {
    if (parseNetwork(text) === undefined) {
      throw new TypeError(`Cannot allow "${text}": expected an address or a network, as 192.168.1.0/24`);
    }
  }
  return networks;
}
