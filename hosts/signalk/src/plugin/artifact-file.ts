/** A plugin's `.wasm`, read from its package. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Artifact, openArtifact } from "remora/engine";
import { signalkErrors } from "../errors.ts";
import type { PluginManifest } from "./manifest.ts";

export const wasmBytesMax = 32 * 1024 * 1024;

/** @throws signalk/no-wasm signalk/wasm-too-large wasm/… component/… */
export async function readArtifact({ id, folder, wasmFile }: PluginManifest): Promise<Artifact> {
  const path = join(folder, wasmFile);
  const { size } = await stat(path).catch((cause: unknown) => {
    throw signalkErrors["no-wasm"]({ plugin: id, path }, cause);
  });
  if (size > wasmBytesMax)
    throw signalkErrors["wasm-too-large"]({ plugin: id, bytes: size, bytesMax: wasmBytesMax });
  return openArtifact(await readFile(path), { plugin: id });
}
