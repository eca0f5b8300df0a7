/** The operator's trust store on this machine: which file it is, and reading and writing it. */

import { Option } from "commander";
import { isRemoraError } from "remora/base";
import { emptyTrustStore, parseTrustStore, printTrustStore, type TrustStore } from "remora/bundle";
import { readInput } from "./read-input.ts";
import type { System } from "./system.ts";
import { alone, makeFolder, writeOutput } from "./write-output.ts";

const STORE_BYTES_MAX = 4 * 1024 * 1024;

export function storeOption(): Option {
  return new Option(
    "--store <file>",
    "the trust store (default: remora/trusted_keys.toml in the folder of your settings)",
  );
}

function defaultStore(system: System): string {
  return `${system.configFolder}/trusted_keys.toml`;
}

/**
 * The store; empty when the default one is not there yet.
 *
 * @throws cli/cannot-read a store that was named is not there
 * @throws bundle/trust-store it has problems
 */
export async function readStore(system: System, named: string | undefined): Promise<TrustStore> {
  const file = named ?? defaultStore(system);
  try {
    const bytes = await readInput(system, file, STORE_BYTES_MAX);
    return parseTrustStore(new TextDecoder().decode(bytes), file);
  } catch (error) {
    if (named === undefined && isMissing(error)) return emptyTrustStore;
    throw error;
  }
}

/**
 * Reads the store, changes it and writes it, one command after the other; one that is not there yet is made.
 *
 * @throws bundle/trust-store it has problems, or would have them then: it stays as it is
 */
export async function changeStore(
  system: System,
  named: string | undefined,
  change: (store: TrustStore) => TrustStore,
): Promise<void> {
  const file = named ?? defaultStore(system);
  if (named === undefined) await makeFolder(system, system.configFolder);
  await alone(system, file, async () => {
    const store = await readStore(system, file).catch((error: unknown) => {
      if (isMissing(error)) return emptyTrustStore;
      throw error;
    });
    const text = printTrustStore(change(store));
    // What nobody could read again, as a name that is too long, would be the end of the whole store.
    parseTrustStore(text, file);
    await writeOutput(system, file, new TextEncoder().encode(text));
  });
}

/** Of all reasons for which a file cannot be read, the one that it is not there. */
export function isMissing(error: unknown): boolean {
  if (!isRemoraError(error, "cli/cannot-read")) return false;
  return error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOENT";
}
