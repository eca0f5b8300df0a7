/** `remora audit`: what happened, from the trail in the folder, and whether that is as it was written. */

import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { AuditRecord, AuditRemoval } from "remora/manager";
import { harmless } from "remora/policy";
import { cliErrors } from "../errors.ts";
import { factLines, listed } from "../facts.ts";
import { type FolderOptions, folderOf, folderOption } from "../house.ts";
import { jsonOption } from "../options.ts";
import { showCount } from "../quantity.ts";
import { hasFolder } from "../read-input.ts";
import type { System } from "../system.ts";

export function auditCommand(system: System): Command {
  const audit = new Command("audit").description("Show the audit trail of a folder, and verify it.");
  audit.addCommand(listCommand(system)).addCommand(verifyCommand(system));
  return audit;
}

interface ListOptions extends FolderOptions {
  readonly limit: number;
  readonly plugin?: string;
  readonly kind?: string;
  readonly json?: true;
}

function listCommand(system: System): Command {
  return new Command("list")
    .description("Show the newest lines, the newest last.")
    .addOption(folderOption())
    .addOption(new Option("-n, --limit <count>", "at most so many").default(50).argParser(countOf))
    .addOption(new Option("--plugin <name>", "of this plugin alone"))
    .addOption(new Option("--kind <kind>", "of kinds that begin so: plugin., gate., admin."))
    .addOption(jsonOption("print one JSON object a line"))
    .addHelpText(
      "after",
      "\nExamples:\n  remora audit list --plugin geofence\n  remora audit list --kind admin. --json",
    )
    .action(async (options: ListOptions) => {
      const { limit, plugin, kind } = options;
      const { readTrail } = await import("remora/manager");
      const newest = await readTrail(await trailFolder(system, options), {
        recordsMax: limit,
        isWanted: ({ event }) =>
          (plugin === undefined || event.plugin === plugin) &&
          (kind === undefined || event.kind.startsWith(kind)),
      });
      const records = newest.reverse();
      const show = options.json ? (record: AuditRecord) => JSON.stringify(record) : recordText;
      system.out.write(records.map((record) => `${show(record)}\n`).join(""));
    });
}

function recordText({ seq, at, event: { kind, ...facts } }: AuditRecord): string {
  const shown = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return harmless(`${seq} ${at} ${kind} ${shown.join(" ")}`, 1_000);
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Allowed is 1 to 999999.");
  return Number(text);
}

interface VerifyOptions extends FolderOptions {
  readonly expect?: { readonly seq: number; readonly hash: string };
  readonly json?: true;
}

function verifyCommand(system: System): Command {
  return new Command("verify")
    .description("Say whether the trail is as it was written, and name the first line that is not.")
    .addOption(folderOption())
    .addOption(
      new Option(
        "--expect <line:hash>",
        "a line that you kept elsewhere, as this command printed it",
      ).argParser(endOf),
    )
    .addOption(jsonOption("print one JSON object"))
    .addHelpText(
      "after",
      `
The trail may be in use. The exit code is 0 when it is intact, otherwise 1. Whoever can write into the folder can
write a whole new trail: keep the last line's number and hash somewhere else, and hand them in with --expect. That
vouches for what is before it; what came later, also a removal of old lines, is vouched for by a later one.

Examples:
  remora audit verify
  remora audit verify --expect 1042:9f2c…`,
    )
    .action(async (options: VerifyOptions) => {
      const folder = folderOf(system, options);
      const { verifyTrailFolder } = await import("remora/manager");
      const verdict = await verifyTrailFolder(await trailFolder(system, options), options.expect);
      if (options.json) system.out.write(`${JSON.stringify(verdict)}\n`);
      if (verdict.kind === "broken") {
        const { problem, file, number, message } = verdict;
        const place = file === undefined ? "" : ` at ${file}:${number}`;
        throw cliErrors["audit-broken"]({ folder, problem, place, message });
      }
      if (options.json) return;
      const { lines, first, last, tornBytes, resumptions, removed } = verdict;
      const rows = factLines([
        ["trail", "intact"],
        ["lines", `${showCount(lines)}${first === undefined ? "" : `, from ${first.seq}`}`],
        ["last", last === undefined ? "none" : `${last.seq}:${last.hash}`],
        ...(removed === undefined ? [] : ([["removed", removalText(removed, options.expect)]] as const)),
        ...(tornBytes > 0 ? ([["torn", `${tornBytes} bytes of a line that was never whole`]] as const) : []),
        ...listed("resumed", resumptionTexts(resumptions), (text) => text),
      ]);
      system.out.write(`${rows.join("\n")}\n`);
    });
}

/** How the trail was found by those who went on with it, a line each way. */
function resumptionTexts(resumptions: readonly AuditRecord[]): string[] {
  const seqs = new Map<string, number[]>();
  for (const { seq, event } of resumptions) {
    const how = resumptionText(event);
    seqs.set(how, [...(seqs.get(how) ?? []), seq]);
  }
  return Array.from(seqs, ([how, of]) => `${of.length} times ${how}, last by line ${of.at(-1)}`);
}

function resumptionText(event: AuditRecord["event"]): string {
  if (event.wasOpen === true) return "after its files were taken away while it was written to";
  return event.isHeadMissing === true ? "without its head" : "after a writer that did not close it";
}

function removalText({ throughSeq, seq }: AuditRemoval, expected: VerifyOptions["expect"]): string {
  const isVouchedFor = expected === undefined || expected.seq >= seq;
  return `to line ${throughSeq}, as line ${seq} says${isVouchedFor ? "" : ", which came after the one that was expected"}`;
}

function endOf(text: string): { seq: number; hash: string } {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw new InvalidArgumentError("Allowed is a line's number, a colon and 64 hexadecimal digits.");
  }
  return { seq: Number(seq), hash };
}

async function trailFolder(system: System, options: FolderOptions): Promise<string> {
  const folder = folderOf(system, options);
  const trail = join(folder, "audit");
  if (!(await hasFolder(system, trail))) throw cliErrors["no-folder"]({ folder: trail });
  return trail;
}
