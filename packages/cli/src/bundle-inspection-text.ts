/** A bundle's inspection for people: what it is and wants, then each artifact as if it stood alone. */

import type { CapabilityUse } from "remora/bundle";
import type { BundleInspection, ManifestFacts } from "./bundle-inspection.ts";
import { type Fact, factLines, listed } from "./facts.ts";
import { inspectionText } from "./inspection-text.ts";
import { showBytes, showCount } from "./quantity.ts";

export function bundleText(inspection: BundleInspection): string {
  const { manifest, files, artifacts } = inspection;
  const lines = [
    ...factLines([
      ["file", inspection.file],
      ["kind", "bundle"],
      ["size", `${showBytes(inspection.sizeBytes)} (${showCount(inspection.sizeBytes)} bytes)`],
      ["sha256", inspection.sha256],
      ["digest", inspection.digest],
      ["trust", `${inspection.trust}: ${inspection.trustReason}`],
      ...manifestRows(manifest),
      ...listed("files", files, (one) => `${one.name} ${showBytes(one.sizeBytes)}`),
    ]),
    "",
    ...capabilityLines(manifest, inspection.capabilityProblems),
  ];
  const parts = artifacts.map(({ world, inspection: artifact }, at) => [
    "",
    `artifact ${at + 1} of ${artifacts.length}`,
    ...factLines([["for", world]]).map(indented),
    ...inspectionText(artifact).trimEnd().split("\n").map(indented),
  ]);
  return `${[...lines, ...parts.flat()].join("\n")}\n`;
}

function manifestRows(manifest: ManifestFacts): Fact[] {
  const { host, limits, settings, dependencies } = manifest;
  const optional = (label: string, value: string | undefined): Fact[] =>
    value === undefined || value === "" ? [] : [[label, value]];
  return [
    ["plugin", `${manifest.name} ${manifest.version}`],
    ...optional("what", manifest.description),
    ["for host", `${host.name} ${host.version}`],
    ["isolation", manifest.isolation],
    ...listed("authors", manifest.authors, (author) => author),
    ["licence", manifest.licence],
    ...optional("homepage", manifest.homepage),
    ...optional("category", manifest.category),
    ...optional("tags", manifest.tags.join(", ")),
    ...listed("asks for", Object.entries(limits), ([name, value]) => `${name} ${showCount(value)}`),
    ...listed("settings", Object.entries(settings?.properties ?? {}), ([name, one]) =>
      one.title === undefined ? `${name}: ${one.type}` : `${name}: ${one.type}, ${one.title}`,
    ),
    ...listed("needs", Object.entries(dependencies), ([name, range]) => `${name} ${range}`),
  ];
}

function capabilityLines(manifest: ManifestFacts, problems: readonly CapabilityUse[]): string[] {
  const { capabilities } = manifest;
  const rows: Fact[] = [
    ...capabilities.flatMap(({ grant: { capability, ...targets }, why }): Fact[] => [
      ["wants", [capability, ...Object.values(targets).flat()].join(" ")],
      ["  because", why],
    ]),
    ...problems.map(
      ({ kind, capability, imports }): Fact => [
        kind,
        imports.length === 0 ? capability : `${capability}: ${imports.join(", ")}`,
      ],
    ),
  ];
  return factLines(rows.length === 0 ? [["wants", "nothing but what its world gives"]] : rows);
}

function indented(line: string): string {
  return line === "" ? "" : `  ${line}`;
}
