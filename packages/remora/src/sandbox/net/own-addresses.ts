/**
 * The addresses by which this machine reaches itself: public by number, and what listens there for the host's own sake is as near as on
 * loopback. They are those of its interfaces and, on Linux, whatever the kernel's tables call local: of interfaces that are down, whole
 * networks of a load balancer, a network's broadcast. One that another machine translates to this one cannot be known here.
 */

import { closeSync, openSync, readSync } from "node:fs";
import os from "node:os";
import { type AddressKind, addressesMeant, addressKind, isInNetworks } from "./address.ts";

/** Milliseconds: interfaces come and go, and a look at them takes some hundred microseconds. */
const knownForMs = 1_000;

/** Of each table of the kernel: a router's has a million routes, and one that is not read to its end is no reason to wait. */
const tableBytesMax = 256 * 1_024;

/** Addresses that were asked for lately. */
const decidedMax = 1_024;

let own: readonly string[] = [];
let readAtMs = Number.NEGATIVE_INFINITY;
const decided = new Map<string, AddressKind | "own">();

/** As `addressKind`, with what is this machine's own told from what else is public. */
export function addressKindHere(address: string): AddressKind | "own" {
  const kind = addressKind(address);
  if (kind !== "public") return kind;
  readAgain();
  let found = decided.get(address);
  if (found === undefined) {
    found = addressesMeant(address).some((meant) => isInNetworks(meant, own)) ? "own" : kind;
    if (decided.size >= decidedMax) decided.clear();
    decided.set(address, found);
  }
  return found;
}

function readAgain(): void {
  const nowMs = performance.now();
  if (nowMs - readAtMs < knownForMs) return;
  readAtMs = nowMs;
  decided.clear();
  own = [...new Set([...ofInterfaces(), ...localFour(table("fib_trie")), ...localSix(table("ipv6_route"))])];
}

let interfaces: readonly string[] = [];

/** As they were, where there is no descriptor left to ask for them. */
function ofInterfaces(): readonly string[] {
  try {
    const found = Object.values(os.networkInterfaces()).flatMap((addresses = []) => addresses);
    interfaces = found.map(({ address }) => address);
  } catch {
    // What was known stays.
  }
  return interfaces;
}

/** Empty where there is none, as on other systems. */
function table(name: string): string {
  try {
    const file = openSync(`/proc/net/${name}`, "r");
    try {
      const bytes = Buffer.alloc(tableBytesMax);
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(file, bytes, length, bytes.length - length, length);
      }
      return bytes.toString("latin1", 0, length);
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

/** Linux, net/ipv4/fib_trie.c, `fib_trie_seq_show`: an address, and in the lines behind it how long its prefix is and what it means. */
export function localFour(text: string): readonly string[] {
  const found: string[] = [];
  let address = "";
  for (const line of text.split("\n")) {
    const leaf = /^\s*\|-- ([\d.]+)$/.exec(line);
    if (leaf !== null) address = leaf[1] ?? "";
    const prefix = /^\s*\/(\d+) \S+ (?:LOCAL|BROADCAST|ANYCAST)\b/.exec(line);
    if (prefix !== null) found.push(`${address}/${prefix[1]}`);
  }
  return found;
}

/** Linux, include/uapi/linux/ipv6_route.h. */
const RTF_ANYCAST = 0x0010_0000;
const RTF_LOCAL = 0x8000_0000;

/** Linux, net/ipv6/route.c, `ipv6_route_native_seq_show`: network and length of its prefix come first, the flags next to last. */
export function localSix(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const [digits = "", length = "", ...rest] = line.trim().split(/\s+/);
    const flags = Number.parseInt(rest.at(-2) ?? "", 16);
    if (Number.isNaN(flags) || (flags & (RTF_LOCAL | RTF_ANYCAST)) === 0) return [];
    return [`${digits.match(/.{4}/g)?.join(":")}/${Number.parseInt(length, 16)}`];
  });
}
