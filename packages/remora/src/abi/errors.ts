/** What can go wrong between a host and a core module that keeps a convention: nearly always, the guest breaks it. */

import { defineErrors } from "../base/index.ts";

export const abiErrors = defineErrors("abi", {
  "out-of-bounds": {
    fault: "guest",
    message: (d: { what: string; pointer: number; length: number; memoryBytes: number }) =>
      `Cannot reach ${d.what} at ${d.pointer}: its ${d.length} bytes leave the guest's memory of ${d.memoryBytes}`,
  },
  "too-long": {
    fault: "guest",
    message: (d: { what: string; length: number; lengthMax: number }) =>
      `Cannot take ${d.what}: it has ${d.length} bytes, and ${d.lengthMax} are allowed`,
  },
  "bad-number": {
    fault: "guest",
    message: (d: { what: string; found: string }) =>
      `Cannot take ${d.what}: found ${d.found}, expected a whole number of 32 bits`,
  },
  "no-memory": {
    fault: "guest",
    message: (d: { allocator: string; length: number }) =>
      `Cannot hand over ${d.length} bytes: the guest's "${d.allocator}" gave no memory for them`,
  },
  "no-such-export": {
    fault: "publisher",
    message: (d: { name: string; near: string }) =>
      `Cannot call "${d.name}": the module exports no such function${d.near}`,
  },
  "no-convention": {
    fault: "publisher",
    message: (d: { expected: string }) =>
      `Cannot talk to the module: it keeps none of the conventions that are known here: ${d.expected}`,
  },
  "no-memory-export": {
    fault: "publisher",
    message: () => `Cannot talk to the module: it exports no memory named "memory"`,
  },
  // Asyncify.
  "not-asyncified": {
    fault: "publisher",
    message: (d: { missing: string }) =>
      `Cannot let the guest wait: the module was built without asyncify, it exports no "${d.missing}"`,
  },
  "no-frame": {
    fault: "guest",
    message: () => "Cannot let the guest wait: it has not said where its stack can be kept",
  },
  "did-not-stop": {
    fault: "guest",
    message: () => "Cannot let the guest wait: it went on although it was told to unwind",
  },
  suspended: {
    fault: "platform",
    message: (d: { name: string }) => `Cannot call "${d.name}": the guest still waits in another call`,
  },
  "too-many-waits": {
    fault: "guest",
    message: (d: { name: string; waitsMax: number }) =>
      `Cannot finish "${d.name}": the guest waited ${d.waitsMax} times in one call, and no more is allowed`,
  },
});
