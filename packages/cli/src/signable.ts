/** What can be signed: a bundle, which carries its signature, or a `.wasm` with Conductor's sidecar beside it. */

import {
  type Bundle,
  isBundle,
  openBundle,
  parseSidecar,
  type SignatureState,
  sidecarBytesMax,
  sidecarPath,
  sidecarState,
  signatureOf,
} from "remora/bundle";
import { cliErrors } from "./errors.ts";
import { beginning, isWasm } from "./file-start.ts";
import { knownCapabilities } from "./known-capabilities.ts";
import { readInput } from "./read-input.ts";
import type { System } from "./system.ts";
import { isMissing } from "./trust-store.ts";

export type Signable =
  | { readonly kind: "bundle"; readonly bytes: Uint8Array; readonly bundle: Bundle }
  | { readonly kind: "wasm"; readonly bytes: Uint8Array; readonly sidecarFile: string };

/**
 * Reads a bundle or a `.wasm`.
 *
 * @throws cli/unsignable it is neither
 */
export async function readSignable(system: System, file: string): Promise<Signable> {
  const bytes = await readInput(system, file);
  if (isBundle(bytes)) {
    const { vocabulary } = await knownCapabilities();
    return { kind: "bundle", bytes, bundle: openBundle(bytes, { vocabulary }) };
  }
  if (isWasm(bytes)) {
    return { kind: "wasm", bytes, sidecarFile: sidecarPath(file) };
  }
  throw cliErrors.unsignable({ file, found: beginning(bytes) });
}

/** Whether it is as its signer left it. */
export async function signatureState(system: System, signable: Signable): Promise<SignatureState> {
  if (signable.kind === "bundle") return signatureOf(signable.bundle);
  const { bytes, sidecarFile } = signable;
  const sidecar = await readInput(system, sidecarFile, sidecarBytesMax, "file").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  return sidecarState(bytes, sidecar === undefined ? undefined : parseSidecar(sidecar, sidecarFile));
}
