/** `remora sign FILE`: a bundle gets its signature inside, a `.wasm` gets Conductor's sidecar. */

import { Command, Option } from "commander";
import { readPrivateKey, type Signer, signBundle, signSidecar } from "remora/bundle";
import { factLines } from "../facts.ts";
import { knownCapabilities } from "../known-capabilities.ts";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import { readSignable } from "../signable.ts";
import type { System } from "../system.ts";
import { checkOutput, writeOutput } from "../write-output.ts";

interface SignOptions {
  readonly key: string;
  readonly name: string;
  readonly email: string;
  readonly output?: string;
  readonly json?: true;
}

export function signCommand(system: System): Command {
  return new Command("sign")
    .description("Sign a bundle, or a .wasm for Conductor with a sidecar FILE.wasm.sig, by an Ed25519 key.")
    .argument("<file>", "a bundle or a .wasm")
    .addOption(new Option("--key <path>", "the private key: PATH.private").makeOptionMandatory())
    .addOption(new Option("--name <name>", "who signs").makeOptionMandatory())
    .addOption(new Option("--email <address>", "where they are reached").default("", "none"))
    .addOption(
      new Option("-o, --output <file>", "where to write (default: the bundle itself, or the sidecar)"),
    )
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  remora keys generate ada
  remora sign geofence.bundle --key ada --name "Ada Example" --email ada@example.org
  remora sign plugin.wasm --key ada --name "Ada Example"     writes plugin.wasm.sig`,
    )
    .action(async (file: string, options: SignOptions) => {
      const signed = await sign(system, file, options);
      system.out.write(options.json ? `${JSON.stringify(signed)}\n` : signedText(signed));
    });
}

interface Signed {
  readonly file: string;
  readonly kind: "bundle" | "wasm";
  /** What has the signature now. */
  readonly written: string;
  readonly publicKey: string;
  readonly signedAt: string;
  readonly signer: Signer;
}

async function sign(system: System, file: string, options: SignOptions): Promise<Signed> {
  const keyFile = options.key.endsWith(".private") ? options.key : `${options.key}.private`;
  const key = readPrivateKey(await readInput(system, keyFile), keyFile);
  const signable = await readSignable(system, file);
  const { name, email } = options;
  const signedAtMs = system.nowMs();
  const by = { name, email, key, signedAtMs };
  const written = options.output ?? (signable.kind === "bundle" ? file : signable.sidecarFile);
  // A bundle gets its signature inside, and may stay where it is.
  await checkOutput(system, written, signable.kind === "bundle" ? [keyFile] : [keyFile, file]);
  const bytes =
    signable.kind === "bundle"
      ? signBundle(signable.bytes, by, { vocabulary: (await knownCapabilities()).vocabulary })
      : new TextEncoder().encode(signSidecar(signable.bytes, by));
  await writeOutput(system, written, bytes);
  const signedAt = new Date(signedAtMs).toISOString();
  return { file, kind: signable.kind, written, publicKey: key.publicKey, signedAt, signer: { name, email } };
}

function signedText({ file, written, publicKey, signedAt, signer }: Signed): string {
  const lines = factLines([
    ["signed", file],
    ["written", written],
    ["key", publicKey],
    ["by", signerText(signer)],
    ["at", signedAt],
  ]);
  return `${lines.join("\n")}\n`;
}

export function signerText({ name, email }: Signer): string {
  return email === "" ? name : `${name} <${email}>`;
}
