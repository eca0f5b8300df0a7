/** `remora inspect FILE`: what a plugin's file is and asks for, without running any of it. */

import { Command } from "commander";
import { isBundle } from "remora/bundle";
import { inspectBundle } from "../bundle-inspection.ts";
import { bundleText } from "../bundle-inspection-text.ts";
import { inspectBytes } from "../inspection.ts";
import { inspectionText } from "../inspection-text.ts";
import { knownCapabilities } from "../known-capabilities.ts";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";
import { readStore, storeOption } from "../trust-store.ts";

export function inspectCommand(system: System): Command {
  return new Command("inspect")
    .description("Show what a bundle, a module or a component is and asks for, without running any of it.")
    .argument("<file>", "a bundle or a .wasm file")
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .action(async (file: string, options: { store?: string; json?: true }) => {
      const bytes = await readInput(system, file);
      const show = isBundle(bytes) ? showBundle : showWasm;
      system.out.write(await show({ system, file, bytes, ...options }));
    });
}

interface Shown {
  readonly system: System;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly store?: string;
  readonly json?: true;
}

async function showBundle({ system, file, bytes, store: named, json }: Shown): Promise<string> {
  const known = await knownCapabilities();
  const store = await readStore(system, named);
  const inspection = inspectBundle(file, bytes, { known, store, nowMs: system.nowMs() });
  return json ? `${JSON.stringify(inspection)}\n` : bundleText(inspection);
}

async function showWasm({ file, bytes, json }: Shown): Promise<string> {
  const inspection = inspectBytes(file, bytes);
  return json ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection);
}
