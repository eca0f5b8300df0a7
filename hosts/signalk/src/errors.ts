/** What can go wrong in the Signal K host, beyond what the layers below it say. */

import { defineErrors } from "remora/base";

export const signalkErrors = defineErrors("signalk", {
  // Deltas.
  "bad-delta": {
    fault: "guest",
    message: (d: { where: string; found: string; expected: string }) =>
      `Cannot take the delta: ${d.where} is ${d.found}, expected ${d.expected}`,
  },
  "no-decoder": {
    fault: "operator",
    message: (d: { package: string }) =>
      `Cannot decode the input: the package "${d.package}" is not installed`,
  },
  "listen-failed": {
    fault: "operator",
    message: (d: { address: string; reason: string }) => `Cannot listen at ${d.address}: ${d.reason}`,
  },
  // Packages.
  "bad-package": {
    fault: "publisher",
    message: (d: { folder: string; where: string; found: string; expected: string }) =>
      `Cannot take the plugin in "${d.folder}": ${d.where} of its package.json is ${d.found}, expected ${d.expected}`,
  },
  "no-wasm": {
    fault: "publisher",
    message: (d: { plugin: string; path: string }) =>
      `Cannot read the plugin "${d.plugin}": no file "${d.path}"`,
  },
  "wasm-too-large": {
    fault: "publisher",
    message: (d: { plugin: string; bytes: number; bytesMax: number }) =>
      `Cannot take the plugin "${d.plugin}": its file has ${d.bytes} bytes, and ${d.bytesMax} are allowed`,
  },
  "settings-file": {
    fault: "operator",
    message: (d: { file: string; reason: string }) => `Cannot use the settings "${d.file}": ${d.reason}`,
  },
  // A plugin's life.
  "id-taken": {
    fault: "operator",
    message: (d: { plugin: string }) =>
      `Cannot serve the bundle "${d.plugin}": an installed package has that id`,
  },
  "not-a-plugin": {
    fault: "publisher",
    message: (d: { plugin: string; missing: string }) =>
      `Cannot run "${d.plugin}" as a Signal K plugin: it exports no "${d.missing}"`,
  },
  "start-refused": {
    fault: "guest",
    message: (d: { plugin: string; status: number }) =>
      `Plugin "${d.plugin}" refused to start: status ${d.status}`,
  },
  "guest-abort": {
    fault: "guest",
    message: (d: { plugin: string; reason: string; place: string }) =>
      `Plugin "${d.plugin}" gave up: ${d.reason}, at ${d.place}`,
  },
  "not-running": {
    fault: "operator",
    message: (d: { plugin: string; state: string }) =>
      `Cannot ask the plugin "${d.plugin}": it is ${d.state}`,
  },
  busy: {
    fault: "guest",
    message: (d: { plugin: string; waitingMax: number }) =>
      `Cannot ask the plugin "${d.plugin}": ${d.waitingMax} requests wait for it already`,
  },
  "no-turn": {
    fault: "guest",
    message: (d: { plugin: string; waitedMs: number }) =>
      `Cannot ask the plugin "${d.plugin}": it was busy, or not yet started, for ${d.waitedMs / 1_000} s`,
  },
  "bad-answer": {
    fault: "guest",
    message: (d: { plugin: string; name: string; expected: string }) =>
      `Cannot use what "${d.name}" of the plugin "${d.plugin}" answered: expected ${d.expected}`,
  },
  "guest-refused": {
    fault: "guest",
    message: (d: { plugin: string; name: string; reason: string }) =>
      `Plugin "${d.plugin}" refused "${d.name}": ${d.reason}`,
  },
  "two-loaders": {
    fault: "operator",
    message: () =>
      'Cannot run WebAssembly plugins beside signalk-server\'s own loader: set "interfaces": {"wasm": false} in its settings.json',
  },
  // Providers.
  "no-provider": {
    fault: "operator",
    message: (d: { kind: string }) => `No plugin provides ${d.kind}`,
  },
});
