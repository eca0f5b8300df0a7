/**
 * What an artifact wants to import against what there is. An import is linked when it is a function of the host, or
 * when the sandbox offers it and the capability behind it is granted. All others stop the load at once, in one
 * error that lists every one of them with its reason.
 */

import { nearNames, type RemoraError } from "../base/index.ts";
import type { CapabilityName } from "./capability.ts";
import { policyErrors } from "./errors.ts";
import type { Grant } from "./grant.ts";
import { wasiCapability } from "./wasi-capability.ts";

/** Refused imports for which near names are looked for: a publisher may write any number of them, and nobody reads more. */
const nearMax = 50;

/** One import of an artifact, as its binary names it. */
export interface ImportNeed {
  /** The module of a core import (`env`), or a component's import (`wasi:clocks/wall-clock@0.2.3`). */
  readonly from: string;
  /** The field of a core import, or one function of an interface; absent when the whole interface is meant. */
  readonly item?: string;
}

/** Something that the sandbox can give, and the capability that it takes. */
export interface ImportOffer {
  /** `wasi:clocks/wall-clock@0.2.12`, `wasi_snapshot_preview1.fd_write`. */
  readonly import: string;
  readonly capability: CapabilityName;
}

export interface AvailableImports {
  /** What the host itself provides, as `env.sk_debug`, `omnitak:plugin/host@0.1.0` or one function of such. */
  readonly hostFunctions: readonly string[];
  readonly offers: readonly ImportOffer[];
  readonly grants: readonly Grant[];
  /** For messages. */
  readonly plugin?: string;
}

export interface LinkedImport {
  readonly need: ImportNeed;
  /** The host function or offer that satisfies it, by its own name. */
  readonly name: string;
  /** Absent for a host function. */
  readonly capability?: CapabilityName;
}

/** A kind of function that no plugin gets by importing it from `env`. */
export type ForbiddenKind = "WASI" | "system" | "file system" | "network";

export type RefusedImport =
  | {
      readonly name: string;
      readonly why: "unknown";
      readonly near: readonly string[];
      /** The grant with which a sandbox would give it, where there is none. */
      readonly capability?: CapabilityName;
      readonly forbidden?: ForbiddenKind;
    }
  | {
      readonly name: string;
      readonly why: "not-granted";
      readonly capability: CapabilityName;
      readonly forbidden?: ForbiddenKind;
    };

export type ImportCheck =
  | { readonly kind: "ok"; readonly linked: readonly LinkedImport[] }
  | { readonly kind: "refused"; readonly error: RemoraError<"policy/imports-refused"> };

/**
 * Decides each import of an artifact.
 *
 * @returns `ok` with what satisfies each, or `refused` with the error `policy/imports-refused`, whose details list
 *          all refused imports in the order of the binary.
 */
export function checkImports(needed: readonly ImportNeed[], available: AvailableImports): ImportCheck {
  const hostFunctions = new Map(available.hostFunctions.map((name) => [track(name), name]));
  const offers = offersByTrack(available.offers);
  const granted = new Set<string>(available.grants.map((grant) => grant.capability));
  const linked: LinkedImport[] = [];
  const refused: RefusedImport[] = [];
  for (const need of needed) {
    const host = lookUp(hostFunctions, need);
    const offer = host === undefined ? lookUp(offers, need) : undefined;
    if (host !== undefined) linked.push({ need, name: host });
    else if (offer === undefined) refused.push(unknownImport(need, available, refused.length < nearMax));
    else if (granted.has(offer.capability)) {
      linked.push({ need, name: offer.import, capability: offer.capability });
    } else {
      const forbidden: ForbiddenKind | undefined = need.from.startsWith("wasi_") ? "WASI" : undefined;
      const name = importName(need);
      refused.push({
        name,
        why: "not-granted",
        capability: offer.capability,
        ...(forbidden && { forbidden }),
      });
    }
  }
  if (refused.length === 0) return { kind: "ok", linked };
  const plugin = available.plugin ?? "the plugin";
  return { kind: "refused", error: policyErrors["imports-refused"]({ plugin, refused }) };
}

/** `env.sk_debug`, `wasi:io/poll@0.2.3` or `wasi:io/poll@0.2.3.poll`. */
export function importName(need: ImportNeed): string {
  return need.item === undefined ? need.from : `${need.from}.${need.item}`;
}

/**
 * The name without what may differ between versions that link: `wasi:io/poll@0.2.3` and `@0.2.12` are one track.
 * As Component Model versions go: the major, or for 0.x the minor, must agree; a pre-release only with itself.
 */
function track(name: string): string {
  const at = name.indexOf("@");
  if (at < 0) return name;
  const match = /^(\d+)\.(\d+)\.(\d+)(?![-+\w])(.*)$/.exec(name.slice(at + 1));
  if (match === null) return name;
  const [, major, minor, patch, rest] = match;
  const version = major !== "0" ? `${major}` : minor !== "0" ? `0.${minor}` : `0.0.${patch}`;
  return `${name.slice(0, at)}@${version}${rest}`;
}

const tracksOf = new WeakMap<readonly ImportOffer[], ReadonlyMap<string, ImportOffer>>();

/** Once for each list: plugins have one sandbox after the other, and those all offer the same. */
function offersByTrack(offers: readonly ImportOffer[]): ReadonlyMap<string, ImportOffer> {
  let found = tracksOf.get(offers);
  if (found === undefined) {
    found = new Map(offers.map((offer) => [track(offer.import), offer]));
    tracksOf.set(offers, found);
  }
  return found;
}

/** The exact item first, then the interface or module as a whole. */
function lookUp<Entry>(entries: ReadonlyMap<string, Entry>, need: ImportNeed): Entry | undefined {
  const exact = entries.get(track(importName(need)));
  if (exact !== undefined) return exact;
  // A core module's namespace is never given as a whole: `env` would then hold whatever a module wants of it.
  return need.item !== undefined && need.from.includes(":") ? entries.get(track(need.from)) : undefined;
}

function unknownImport(need: ImportNeed, available: AvailableImports, wantsNear: boolean): RefusedImport {
  const name = importName(need);
  const candidates = wantsNear
    ? [...available.hostFunctions, ...available.offers.map((offer) => offer.import)]
    : [];
  const forbidden = forbiddenKind(need);
  const capability = available.offers.length === 0 ? wasiCapability(need) : undefined;
  return {
    name,
    why: "unknown",
    near: nearNames(name, candidates),
    ...(capability && { capability }),
    ...(forbidden && { forbidden }),
  };
}

function forbiddenKind(need: ImportNeed): ForbiddenKind | undefined {
  if (need.from.startsWith("wasi_")) return "WASI";
  if (need.from !== "env" || need.item === undefined) return undefined;
  if (/syscall|system/.test(need.item)) return "system";
  if (/^(fd_|path_)/.test(need.item)) return "file system";
  return /sock|net|connect|bind|listen|accept|send|recv/.test(need.item) ? "network" : undefined;
}
