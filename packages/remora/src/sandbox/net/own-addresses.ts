/**
 * The addresses that this machine has on its interfaces: public by number, and what listens there for the host's own sake is as near as
 * on loopback. One that a network translates to this machine cannot be known here.
 */

import os from "node:os";
import { type AddressKind, addressesMeant, addressKind, canonicalAddress } from "./address.ts";

/** Milliseconds: interfaces come and go, and a look at them takes some dozen microseconds. */
const knownForMs = 1_000;

let known: ReadonlySet<string> = new Set();
let readAtMs = Number.NEGATIVE_INFINITY;

/** As `addressKind`, with what is this machine's own told from what else is public. */
export function addressKindHere(address: string): AddressKind | "own" {
  const kind = addressKind(address);
  return kind === "public" && addressesMeant(address).some((meant) => ownAddresses().has(meant))
    ? "own"
    : kind;
}

function ownAddresses(): ReadonlySet<string> {
  const nowMs = performance.now();
  if (nowMs - readAtMs < knownForMs) return known;
  const found = Object.values(os.networkInterfaces()).flatMap((addresses = []) => addresses);
  known = new Set(found.map(({ address }) => canonicalAddress(address) ?? address));
  readAtMs = nowMs;
  return known;
}
