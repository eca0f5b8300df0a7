/** Plugins as people read them. */

import type { ChangeView, GrantView, PluginDetailsView, PluginView } from "@remora/admin";
import { harmless } from "remora/policy";
import { type Fact, factLines, listed } from "./facts.ts";
import { showBytes, showCount, showNanoseconds } from "./quantity.ts";
import { tableLines } from "./table.ts";

export function changeText({ name, version, from, publisher }: ChangeView): string {
  const by =
    publisher === null
      ? ""
      : harmless(`; another publisher: ${publisher.to}, and before ${publisher.from}`, 500);
  const to = `${harmless(version ?? "none")}${by}`;
  if (from === null) return `${harmless(name)} ${to} is installed\n`;
  return from === version
    ? `${harmless(name)} ${to} was there\n`
    : `${harmless(name)} ${harmless(from)} → ${to}\n`;
}

export function listText(plugins: readonly PluginView[]): string {
  if (plugins.length === 0) return "no plugins\n";
  const lines = tableLines(
    [
      { title: "plugin", align: "left" },
      { title: "version", align: "left" },
      { title: "state", align: "left" },
      { title: "calls", align: "right" },
      { title: "traps", align: "right" },
      { title: "note", align: "left" },
    ],
    plugins.map((plugin) => [
      harmless(plugin.name),
      harmless(plugin.version ?? "–"),
      plugin.isEnabled ? plugin.state : "disabled",
      showCount(plugin.account.calls),
      showCount(plugin.account.traps),
      noteOf(plugin),
    ]),
  );
  return `${lines.join("\n")}\n`;
}

function noteOf({ held, failure, isOnProbation }: PluginView): string {
  if (held !== null) return `${harmless(held)} waits for consent`;
  if (failure !== null) return failure.code;
  return isOnProbation ? "on probation" : "";
}

export function detailsText(details: PluginDetailsView): string {
  const { manifest, trust, current, heldVersion, heldPublisher, heldProblem, account, failure } = details;
  const rows: Fact[] = [
    ["plugin", `${details.name} ${details.version ?? "(none runs)"}`],
    ["state", details.isEnabled ? details.state : "disabled"],
    ["host", details.host],
  ];
  if (failure !== null) rows.push(["failure", `${failure.code}: ${failure.message}`]);
  if (heldVersion !== null)
    rows.push(["held", `${heldVersion.version} from ${heldVersion.origin} ${waitsText(heldProblem)}`]);
  if (heldPublisher !== null)
    rows.push([
      "publisher",
      `of the held version: ${heldPublisher.to}; of the one that runs: ${heldPublisher.from}`,
    ]);
  if (manifest !== null) {
    if (manifest.description !== null) rows.push(["about", manifest.description]);
    rows.push(["authors", manifest.authors.join(", ")], ["licence", manifest.licence]);
    rows.push(["isolation", manifest.isolation]);
  }
  if (trust !== null) rows.push(["trust", `${trust.text}: ${trust.reason}`]);
  if (current !== null)
    rows.push(["digest", current.digest], ["from", `${current.origin}, ${current.installedAt}`]);
  rows.push(
    ...listed("kept", details.previous, keptText),
    ...listed("grants", details.grants, grantText),
    ...listed("refused", details.refused, grantText),
    ...listed("needed by", details.neededBy, (name) => name),
    ["settings", details.settings === null ? "none" : JSON.stringify(details.settings)],
    ["calls", `${showCount(account.calls)}, of which ${showCount(account.traps)} failed`],
    ["latency", `${showNanoseconds(account.p50ns)} p50, ${showNanoseconds(account.p99ns)} p99`],
    ["fuel", showCount(account.fuelUsed)],
    ["memory", showBytes(account.memoryBytes)],
    ["network", `${showBytes(account.sentBytes)} sent, ${showBytes(account.receivedBytes)} received`],
    ["files", showBytes(account.storedBytes)],
  );
  return `${factLines(rows).join("\n")}\n`;
}

function waitsText(problem: PluginDetailsView["heldProblem"]): string {
  return problem === null ? "waits for consent" : `cannot be accepted: ${problem.code}: ${problem.message}`;
}

function keptText({
  version,
  origin,
  installedAt,
  failedWith,
  publisher,
}: PluginDetailsView["previous"][number]): string {
  const by = publisher === null ? "" : `, by another publisher: ${publisher.to}`;
  return `${version} from ${origin}, ${installedAt}${failedWith === null ? "" : `, taken back: ${failedWith}`}${by}`;
}

export function grantText({ capability, ...targets }: GrantView): string {
  return harmless(`${capability} ${Object.values(targets).flat().join(" ")}`.trim(), 1_000);
}
