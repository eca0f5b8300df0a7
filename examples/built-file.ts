/** A file that is built from others, and beside it a digest of what it was built from. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);

/** Writes a component, then what it was built from. Readers see the old file or the new one, never half. */
export async function place(path: string, bytes: Uint8Array, inputs: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  for (const [target, contents] of [[path, bytes] as const, [`${path}.inputs`, inputs] as const]) {
    const unfinished = `${target}.${process.pid}`;
    await writeFile(unfinished, contents);
    await rename(unfinished, target);
  }
}

export async function isBuiltFrom(inputs: string, path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  // No such file means that it was not built by us: build it again.
  return inputs === (await readFile(`${path}.inputs`, "utf8").catch(() => undefined));
}

/** Over the names and contents of all files below these folders, but what is built, what is installed, and tests. */
export async function digestOf(folders: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      if (/\/(build|node_modules)\//.test(file.slice(root.length)) || file.endsWith(".test.ts")) continue;
      parts.push(file.slice(root.length), await readFile(file, "utf8"));
    }
  }
  return digest(parts);
}

export function digest(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}
