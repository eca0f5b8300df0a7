/** All that can be wrong with a core module, as its reader, checker or rewriter says it. */

import { defineErrors } from "../base/index.ts";

export interface At {
  /** Byte offset in what was given to the reader. */
  readonly offset: number;
}

const hex = (offset: number) => `0x${offset.toString(16)}`;

export const wasmErrors = defineErrors("wasm", {
  "not-a-module": {
    fault: "publisher",
    message: (d: At & { found: string }) =>
      `Cannot read a core module: starts with ${d.found}, allowed: 00 61 73 6d 01 00 00 00`,
  },
  "unexpected-end": {
    fault: "publisher",
    message: (d: At & { what: string }) => `Cannot read ${d.what} at ${hex(d.offset)}: the bytes end there`,
  },
  "malformed-number": {
    fault: "publisher",
    message: (d: At & { what: string }) =>
      `Cannot read ${d.what} at ${hex(d.offset)}: its LEB128 is too long or too large`,
  },
  "malformed-name": {
    fault: "publisher",
    message: (d: At & { what: string }) => `Cannot read ${d.what} at ${hex(d.offset)}: it is not UTF-8`,
  },
  malformed: {
    fault: "publisher",
    message: (d: At & { what: string; found: string | number; allowed: string }) =>
      `Cannot read ${d.what} at ${hex(d.offset)}: found ${d.found}, allowed: ${d.allowed}`,
  },
  "unknown-section": {
    fault: "publisher",
    message: (d: At & { id: number }) => `Unknown section ${d.id} at ${hex(d.offset)}: allowed are 0 to 13`,
  },
  "section-order": {
    fault: "publisher",
    message: (d: At & { section: string; after: string }) =>
      `Section "${d.section}" at ${hex(d.offset)} cannot come after "${d.after}"`,
  },
  "section-size": {
    fault: "publisher",
    message: (d: At & { section: string; declaredEnd: number }) =>
      `Section "${d.section}" ends at ${hex(d.offset)}, but its size says ${hex(d.declaredEnd)}`,
  },
  "too-many": {
    fault: "publisher",
    message: (d: At & { what: string; count: number; bytesLeft: number }) =>
      `Cannot read ${d.count} ${d.what} at ${hex(d.offset)}: only ${d.bytesLeft} bytes are left`,
  },
  limit: {
    fault: "publisher",
    message: (d: At & { what: string; found: number; max: number }) =>
      `Too large at ${hex(d.offset)}: ${d.found} ${d.what}, allowed: ${d.max}`,
  },
  "unknown-opcode": {
    fault: "publisher",
    message: (d: At & { opcode: string }) => `Unknown opcode ${d.opcode} at ${hex(d.offset)}`,
  },
  "unknown-index": {
    fault: "publisher",
    message: (d: At & { space: string; index: number; count: number }) =>
      `No ${d.space} ${d.index} at ${hex(d.offset)}: the module has ${d.count}`,
  },
  "refused-feature": {
    fault: "publisher",
    message: (d: At & { feature: string; found: string; profile: string }) =>
      `Cannot accept ${d.found} at ${hex(d.offset)}: profile "${d.profile}" does not allow "${d.feature}"`,
  },
  "reserved-name": {
    fault: "publisher",
    message: (d: { kind: string; name: string; prefix: string }) =>
      `Cannot accept the ${d.kind} "${d.name}": names that start with "${d.prefix}" belong to Remora`,
  },
  "over-cap": {
    fault: "publisher",
    message: (d: { what: string; found: number; max: number }) =>
      `Cannot accept a module with ${d.found} ${d.what}: allowed: ${d.max}`,
  },
  "unknown-export": {
    fault: "operator",
    message: (d: { name: string; near: string }) => `No export "${d.name}" to rename${d.near}`,
  },
  "duplicate-export": {
    fault: "operator",
    message: (d: { name: string }) => `Cannot rename: two exports would be called "${d.name}"`,
  },
});
