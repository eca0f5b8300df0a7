/** `remora pack FOLDER`: a plugin's files, as its manifest names them, in one file. */

import { join } from "node:path";
import { Command, Option } from "commander";
import { MANIFEST_NAME, namedFiles, openBundle } from "remora/bundle";
import { factLines, listed } from "../facts.ts";
import { packFolder } from "../install-source.ts";
import { jsonOption } from "../options.ts";
import { showBytes, showCount } from "../quantity.ts";
import type { System } from "../system.ts";
import { checkOutput, writeOutput } from "../write-output.ts";

export function packCommand(system: System): Command {
  return new Command("pack")
    .description("Pack a plugin's files into one bundle: the manifest, and what it names. Checks all of it.")
    .argument("<folder>", `the folder with ${MANIFEST_NAME}`)
    .addOption(new Option("-o, --output <file>", "the bundle (default: NAME-VERSION.bundle)"))
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
The same files give the same digest, on every machine. Nothing that the manifest does not name is packed. An artifact
exports what its world has to, where that is one of a host that comes with this program or that REMORA_HOSTS names.

Examples:
  remora pack geofence
  remora pack geofence -o geofence.bundle && remora sign geofence.bundle --key ada --name Ada`,
    )
    .action(async (folder: string, options: { output?: string; json?: true }) => {
      const packed = await pack(system, folder, options.output);
      system.out.write(options.json ? `${JSON.stringify(packed)}\n` : packedText(packed));
    });
}

interface Packed {
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
}

async function pack(system: System, folder: string, output: string | undefined): Promise<Packed> {
  const { manifest, bytes: bundle, vocabulary } = await packFolder(system, folder);
  const file = output ?? `${manifest.name}-${manifest.version}.bundle`;
  const names = [MANIFEST_NAME, ...namedFiles(manifest)];
  await checkOutput(
    system,
    file,
    names.map((name) => join(folder, name)),
  );
  await writeOutput(system, file, bundle);
  const { digest, entries } = openBundle(bundle, { vocabulary });
  return {
    file,
    name: manifest.name,
    version: manifest.version,
    digest,
    sizeBytes: bundle.length,
    files: entries.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
  };
}

function packedText({ file, name, version, digest, sizeBytes, files }: Packed): string {
  const lines = factLines([
    ["packed", `${name} ${version}`],
    ["file", file],
    ["size", `${showBytes(sizeBytes)} (${showCount(sizeBytes)} bytes)`],
    ["digest", digest],
    ...listed("files", files, (one) => `${one.name} ${showBytes(one.sizeBytes)}`),
  ]);
  return `${lines.join("\n")}\n`;
}
