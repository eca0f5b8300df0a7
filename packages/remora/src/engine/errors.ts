/**
 * What can go wrong between the bytes of a plugin and the end of a call. The traps are named after what the
 * guest did; `where` is the guest's place as "in \"name\" (function 7, offset 0x1a3)" when it is known.
 */

import { defineErrors } from "../base/index.ts";

/** The guest's innermost frame when it trapped, as far as V8 tells and the offset map knows. */
export interface TrapPlace {
  /** From the name section or the export, when there is one. */
  readonly functionName?: string;
  readonly functionIndex?: number;
  /** Byte offset in the original module; absent when only the rewritten one is known. */
  readonly offset?: number;
  /** `file:line`, where the module has DWARF. */
  readonly line?: string;
}

interface Trap {
  readonly plugin: string;
  readonly place?: TrapPlace;
}

const trap = (what: string) => ({
  fault: "guest" as const,
  message: (d: Trap) => `Guest of "${d.plugin}" ${what}${at(d.place)}`,
});

function at(place: TrapPlace | undefined): string {
  if (place === undefined) return "";
  const parts: string[] = [];
  if (place.functionIndex !== undefined) parts.push(`function ${place.functionIndex}`);
  if (place.offset !== undefined) parts.push(`offset 0x${place.offset.toString(16)}`);
  if (place.line !== undefined) parts.push(place.line);
  const inside = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  if (place.functionName !== undefined) return ` in "${place.functionName}"${inside}`;
  return parts.length === 0 ? "" : ` in ${parts.join(", ")}`;
}

function whereItWas(place: TrapPlace | undefined): string {
  return place === undefined ? "" : `; it was${at(place)}`;
}

export const engineErrors = defineErrors("engine", {
  // A bound was reached.
  "out-of-fuel": {
    fault: "guest",
    message: (d: Trap & { fuelMax: number }) =>
      `Cannot finish the call to "${d.plugin}": all ${d.fuelMax} fuel is spent${whereItWas(d.place)}`,
  },
  deadline: {
    fault: "guest",
    message: (d: Trap & { deadlineMs: number }) =>
      `Cannot finish the call to "${d.plugin}" within its ${d.deadlineMs} ms${whereItWas(d.place)}`,
  },
  stack: trap("recursed beyond its stack slots"),

  // A trap of the guest's own.
  memory: trap("accessed memory out of bounds"),
  table: trap("accessed a table out of bounds"),
  array: trap("accessed an array out of bounds, or made one too large"),
  unreachable: trap("executed unreachable"),
  divide: trap("divided by zero or overflowed a division"),
  convert: trap("converted a float that does not fit the integer"),
  "indirect-call": trap("called a null function or one of another signature"),
  "null-reference": trap("used a null reference"),
  cast: trap("cast a reference to a type that it does not have"),
  unaligned: trap("used an unaligned address for an atomic access"),
  "uncaught-exception": trap("threw an exception that it did not catch"),
  trap: {
    fault: "guest",
    message: (d: Trap & { reason: string }) => `Guest of "${d.plugin}" trapped${at(d.place)}: ${d.reason}`,
  },
  "host-failure": {
    fault: "platform",
    message: (d: { plugin: string; reason: string }) =>
      `A host function called by "${d.plugin}" threw: ${d.reason}`,
  },
  "host-result": {
    fault: "platform",
    message: (d: {
      plugin: string;
      from: string;
      name: string;
      expected: string;
      given: string;
      hint: string;
    }) =>
      `The host function "${d.name}" of "${d.from}" gave "${d.plugin}" ${d.given}: expected ${d.expected}${d.hint}`,
  },

  // The instance cannot take the call.
  "no-such-export": {
    fault: "operator",
    message: (d: { plugin: string; name: string; near: string }) =>
      `Cannot call "${d.name}" of "${d.plugin}": it exports no such function${d.near}`,
  },
  poisoned: {
    fault: "platform",
    message: (d: { plugin: string; cause: string }) =>
      `Cannot call "${d.plugin}": this instance failed before (${d.cause}) and must be replaced`,
  },
  closed: {
    fault: "platform",
    message: (d: { what: string }) => `Cannot use ${d.what}: it is closed`,
  },
  "pool-exhausted": {
    fault: "operator",
    message: (d: { instancesMax: number }) =>
      `Cannot lease an instance: all ${d.instancesMax} that are allowed are busy`,
  },
  "too-many-waiting": {
    fault: "operator",
    message: (d: { stacksMax: number }) =>
      `Cannot start a call that may wait: ${d.stacksMax} calls wait already, in all plugins of this process`,
  },
  "re-entered": {
    fault: "platform",
    message: (d: { plugin: string }) =>
      `Cannot call "${d.plugin}" while a call into the same instance is running`,
  },

  // The wall between host and guest.
  "not-isolatable": {
    fault: "operator",
    message: (d: { plugin: string; what: string }) =>
      `Cannot run "${d.plugin}" behind a wall: ${d.what}; inline it would run`,
  },
  "isolate-lost": {
    fault: "platform",
    message: (d: { plugin: string; reason: string; hasStarted: boolean }) =>
      `Lost the instance of "${d.plugin}" ${d.hasStarted ? "in a call" : "between calls"}: ${d.reason}`,
  },
  "isolate-crashed": {
    fault: "guest",
    message: (d: { plugin: string; reason: string }) =>
      `Guest of "${d.plugin}" brought down what it ran in: ${d.reason}`,
  },
  "isolate-failed": {
    fault: "platform",
    message: (d: { reason: string }) => `The guest's side of the wall failed: ${d.reason}`,
  },
  "protocol-broken": {
    fault: "guest",
    message: (d: { plugin: string; what: string }) =>
      `What "${d.plugin}" runs in sent what it must not, and was ended: ${d.what}`,
  },

  // The module cannot be taken.
  "module-too-large": {
    fault: "publisher",
    message: (d: { plugin: string; sizeBytes: number; sizeBytesMax: number }) =>
      `Cannot take a module of "${d.plugin}": it has ${d.sizeBytes} bytes, and ${d.sizeBytesMax} are allowed`,
  },
  "invalid-module": {
    fault: "publisher",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot take a module of "${d.plugin}": it is not valid WebAssembly: ${d.reason}`,
  },
  "too-many-modules": {
    fault: "publisher",
    message: (d: { plugin: string; modulesMax: number }) =>
      `Cannot instantiate "${d.plugin}": it has more than the ${d.modulesMax} core instances that are allowed`,
  },
  "memory-limit": {
    fault: "publisher",
    message: (d: { plugin: string; pages: number; pagesMax: number }) =>
      `Cannot instantiate "${d.plugin}": its memories start with ${d.pages} pages, and ${d.pagesMax} are allowed`,
  },
  "table-limit": {
    fault: "publisher",
    message: (d: { plugin: string; elements: number; elementsMax: number }) =>
      `Cannot instantiate "${d.plugin}": its tables start with ${d.elements} elements, and ${d.elementsMax} are allowed`,
  },
  "stack-limit": {
    fault: "publisher",
    message: (d: { plugin: string; slots: number; slotsMax: number }) =>
      `Cannot instantiate "${d.plugin}": its frames need ${d.slots} stack slots at least, and ${d.slotsMax} are allowed`,
  },
  link: {
    fault: "publisher",
    message: (d: { plugin: string; reason: string }) => `Cannot link a module of "${d.plugin}": ${d.reason}`,
  },
  "rewriter-bug": {
    fault: "platform",
    message: (d: { plugin: string; digest: string; reason: string }) =>
      `Cannot take a module of "${d.plugin}" (sha256 ${d.digest}): V8 refuses it after the rewrite: ${d.reason}`,
  },
});
