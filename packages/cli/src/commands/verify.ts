/** `remora verify FILE`: how far a bundle, or a `.wasm` with its sidecar, is to be trusted here. */

import { Command, Option } from "commander";
import { mayRun, type SignatureState, type Trust, type TrustRule, trustOf } from "remora/bundle";
import { cliErrors } from "../errors.ts";
import { type Fact, factLines } from "../facts.ts";
import { jsonOption } from "../options.ts";
import { readSignable, signatureState } from "../signable.ts";
import type { System } from "../system.ts";
import { readStore, storeOption } from "../trust-store.ts";
import { signerText } from "./sign.ts";

const rules: readonly TrustRule[] = ["verified", "self-signed", "unsigned"];

interface VerifyOptions {
  readonly require: TrustRule;
  readonly store?: string;
  readonly json?: true;
}

export function verifyCommand(system: System): Command {
  return new Command("verify")
    .description("Say how far a bundle, or a .wasm with its sidecar, is to be trusted.")
    .argument("<file>", "a bundle or a .wasm")
    .addOption(
      new Option("--require <level>", "the lowest level that is accepted").choices(rules).default("verified"),
    )
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Levels: verified by NAME   its key is in the trust store, valid and not revoked
        self-signed        signed by a key that is not
        unsigned           not signed
        modified           not as it was packed or signed: never accepted
What a revoked key has signed is never accepted either.
The exit code is 0 when the level is accepted, otherwise 1.

Examples:
  remora verify geofence.bundle
  remora verify plugin.wasm --store ~/.config/midimon/trusted_keys.toml
  remora verify geofence.bundle --require self-signed --json`,
    )
    .action(async (file: string, options: VerifyOptions) => {
      const verified = await verify(system, file, options);
      system.out.write(options.json ? `${JSON.stringify(verified)}\n` : verifiedText(verified));
      const { level, reason, isAccepted } = verified;
      if (isAccepted) return;
      const allowed = `${options.require} or better, by a key that was not revoked`;
      throw cliErrors["not-trusted"]({ file, trust: level, reason, allowed });
    });
}

interface Verified extends Omit<Trust, "text"> {
  readonly file: string;
  readonly kind: "bundle" | "wasm";
  /** Null for a `.wasm`. */
  readonly digest: string | null;
  readonly trust: string;
  readonly isAccepted: boolean;
  /** What the signer says of themselves; null without a signature that holds. */
  readonly signed: { readonly at: string; readonly name: string; readonly email: string } | null;
}

async function verify(system: System, file: string, options: VerifyOptions): Promise<Verified> {
  const signable = await readSignable(system, file);
  const store = await readStore(system, options.store);
  const state = await signatureState(system, signable);
  // As it was packed, and readable as such; what was modified need not be.
  if (signable.kind === "bundle" && state.kind !== "modified") signable.bundle.checkContents();
  const { text, ...trust } = trustOf(state, store, system.nowMs());
  return {
    file,
    kind: signable.kind,
    digest: signable.kind === "bundle" ? signable.bundle.digest : null,
    trust: text,
    ...trust,
    isAccepted: mayRun({ text, ...trust }, options.require),
    signed: signedFacts(state),
  };
}

function signedFacts(state: SignatureState): Verified["signed"] {
  if (state.kind !== "signed") return null;
  return { at: new Date(state.signedAtMs).toISOString(), ...state.signer };
}

function verifiedText({ file, trust, reason, digest, publicKey, signed }: Verified): string {
  const rows: Fact[] = [
    ["file", file],
    ["trust", trust],
    ["because", reason],
  ];
  if (digest !== null) rows.push(["digest", digest]);
  if (publicKey !== undefined) rows.push(["key", publicKey]);
  if (signed !== null) rows.push(["signer", `${signerText(signed)} on ${signed.at}, as they say`]);
  return `${factLines(rows).join("\n")}\n`;
}
