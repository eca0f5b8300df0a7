/** `remora keys`: makes keys to sign with, and keeps whose keys are trusted here. */

import { Command, InvalidArgumentError, Option } from "commander";
import {
  generateKeyPair,
  parsePublicKey,
  parseTime,
  revokeKey,
  type TrustStore,
  trustKey,
} from "remora/bundle";
import { harmless } from "remora/policy";
import { cliErrors } from "../errors.ts";
import { factLines } from "../facts.ts";
import { jsonOption } from "../options.ts";
import { readInput } from "../read-input.ts";
import type { System } from "../system.ts";
import { tableLines } from "../table.ts";
import { changeStore, readStore, storeOption } from "../trust-store.ts";
import { writeOutput } from "../write-output.ts";

export function keysCommand(system: System): Command {
  const keys = new Command("keys").description("Make keys to sign with, and keep whose keys are trusted.");
  for (const command of [generateCommand, listCommand, trustCommand, revokeCommand]) {
    keys.addCommand(command(system));
  }
  return keys;
}

interface StoreOptions {
  readonly store?: string;
  readonly json?: true;
}

function generateCommand(system: System): Command {
  return new Command("generate")
    .description("Make an Ed25519 key pair: PATH.private, which only you may read, and PATH.public.")
    .argument("<path>", "where the two files go; they must not be there yet")
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Whoever has PATH.private signs as you. PATH.public is for everybody; Conductor reads both files too.

Example:
  remora keys generate ~/keys/ada`,
    )
    .action(async (path: string, options: { json?: true }) => {
      const { privateKey, publicKey } = generateKeyPair();
      const made = { publicKey, private: `${path}.private`, public: `${path}.public` };
      await writeOutput(system, made.private, privateKey, "create-secret");
      try {
        await writeOutput(system, made.public, new TextEncoder().encode(publicKey), "create");
      } catch (error) {
        // Nobody has signed with it yet, and it would be in the way of the next try.
        await system.removeFile(made.private);
        throw error;
      }
      const lines = factLines([
        ["private", made.private],
        ["public", made.public],
        ["key", publicKey],
      ]);
      system.out.write(options.json ? `${JSON.stringify(made)}\n` : `${lines.join("\n")}\n`);
    });
}

function listCommand(system: System): Command {
  return new Command("list")
    .description("Show the trusted and the revoked keys.")
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", "\nExample:\n  remora keys list --json")
    .action(async (options: StoreOptions) => {
      const store = await readStore(system, options.store);
      system.out.write(
        options.json
          ? `${JSON.stringify(storeFacts(store, system.nowMs()))}\n`
          : listText(store, system.nowMs()),
      );
    });
}

function trustCommand(system: System): Command {
  return new Command("trust")
    .description("Trust a publisher's key, under the name that you give it.")
    .argument("<key>", "64 hexadecimal digits, or a .public file")
    .argument("<name>", "the publisher; shown as: verified by NAME")
    .addOption(new Option("--email <address>", "where they are reached").default("", "none"))
    .addOption(new Option("--from <date>", "valid from this day or time on (UTC)").argParser(parseFrom))
    .addOption(
      new Option("--until <date>", "valid up to the end of this day, or this time (UTC)").argParser(
        parseUntil,
      ),
    )
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  remora keys trust ada.public "Ada Example" --until 2027-12-31
  remora keys trust 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c Ada`,
    )
    .action(async (given: string, name: string, options: TrustOptions) => {
      const publicKey = await readPublicKey(system, given);
      const { email, from, until } = options;
      if (from !== undefined && until !== undefined && from > until) {
        throw cliErrors["bad-value"]({
          what: "--until with a time before that of --from",
          expected: "a later one: the key would never be valid",
        });
      }
      const key = {
        name,
        email,
        publicKey,
        addedAt: new Date(system.nowMs()).toISOString(),
        ...(from !== undefined && { validFromMs: from }),
        ...(until !== undefined && { validUntilMs: until }),
      };
      await changeStore(system, options.store, (store) => trustKey(store, key));
      const text = `${factLines([
        ["trusted", name],
        ["key", publicKey],
      ]).join("\n")}\n`;
      system.out.write(options.json ? `${JSON.stringify({ publicKey, name })}\n` : text);
    });
}

interface TrustOptions extends StoreOptions {
  readonly email: string;
  readonly from?: number;
  readonly until?: number;
}

function revokeCommand(system: System): Command {
  return new Command("revoke")
    .description("Never accept again what a key has signed, whenever it did.")
    .argument("<key>", "64 hexadecimal digits, or a .public file; trusted before or not")
    .addOption(new Option("--why <text>", "a sentence for whoever meets it").default("", "none"))
    .addOption(storeOption())
    .addOption(jsonOption("print one JSON object"))
    .addHelpText("after", '\nExample:\n  remora keys revoke ada.public --why "The laptop was stolen"')
    .action(async (given: string, options: StoreOptions & { readonly why: string }) => {
      const publicKey = await readPublicKey(system, given);
      const { why } = options;
      const atMs = system.nowMs();
      await changeStore(system, options.store, (store) => revokeKey(store, { publicKey, atMs, why }));
      const text = `${factLines([["revoked", publicKey]]).join("\n")}\n`;
      system.out.write(options.json ? `${JSON.stringify({ publicKey, why })}\n` : text);
    });
}

/** A public key's file is 64 bytes and perhaps a line's end. */
const KEY_FILE_BYTES_MAX = 1_000;

async function readPublicKey(system: System, given: string): Promise<string> {
  if (/^[0-9a-fA-F]{64}$/.test(given)) return parsePublicKey(given);
  const bytes = await readInput(system, given, KEY_FILE_BYTES_MAX);
  return parsePublicKey(new TextDecoder().decode(bytes), `"${given}"`);
}

const DAY_MS = 86_400_000;

function parseFrom(text: string): number {
  // Whoever leaves away the offset does not say whose time it is.
  const ms = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? parseTime(text) : undefined;
  if (ms === undefined) {
    throw new InvalidArgumentError("Allowed is a day as 2027-12-31, or a time as 2027-12-31T12:00:00Z.");
  }
  return ms;
}

function parseUntil(text: string): number {
  return parseFrom(text) + (text.includes("T") ? 0 : DAY_MS - 1);
}

type KeyState = "trusted" | "not valid yet" | "expired" | "revoked";

interface KeyFacts {
  readonly name: string;
  readonly email?: string;
  readonly publicKey: string;
  readonly state: KeyState;
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly revokedAt?: string;
  readonly why?: string;
}

function storeFacts(store: TrustStore, nowMs: number): { readonly keys: readonly KeyFacts[] } {
  const iso = (ms: number) => new Date(ms).toISOString();
  const trusted = store.keys.map(({ name, email, publicKey, validFromMs, validUntilMs }): KeyFacts => {
    const isEarly = validFromMs !== undefined && nowMs < validFromMs;
    const isLate = validUntilMs !== undefined && nowMs > validUntilMs;
    return {
      name,
      email,
      publicKey,
      state: isEarly ? "not valid yet" : isLate ? "expired" : "trusted",
      ...(validFromMs !== undefined && { validFrom: iso(validFromMs) }),
      ...(validUntilMs !== undefined && { validUntil: iso(validUntilMs) }),
    };
  });
  const revoked = store.revoked.map(
    ({ name, publicKey, revokedAtMs, why }): KeyFacts => ({
      name,
      publicKey,
      state: "revoked",
      revokedAt: iso(revokedAtMs),
      why,
    }),
  );
  return { keys: [...trusted, ...revoked] };
}

const columns = ["key", "state", "name", "until"].map((title) => ({ title, align: "left" }) as const);

function listText(store: TrustStore, nowMs: number): string {
  const { keys } = storeFacts(store, nowMs);
  if (keys.length === 0) return "no keys are trusted\n";
  const rows = keys.map(({ publicKey, state, name, validUntil }) => [
    publicKey,
    state,
    harmless(name),
    validUntil?.slice(0, 10) ?? "",
  ]);
  return `${tableLines(columns, rows).join("\n")}\n`;
}
