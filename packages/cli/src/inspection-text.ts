/** An inspection for people: facts first, then imports and exports, one a line. */

import { harmless } from "remora/policy";
import { CELL_LENGTH_MAX, type Fact, factLines, listed } from "./facts.ts";
import type {
  ComponentInspection,
  FileFacts,
  Inspection,
  ModuleFacts,
  ModuleInspection,
  Range,
} from "./inspection.ts";
import { showBytes, showCount } from "./quantity.ts";
import { tableLines } from "./table.ts";

export function inspectionText(inspection: Inspection): string {
  const lines = inspection.kind === "component" ? componentLines(inspection) : moduleLines(inspection);
  return `${lines.join("\n")}\n`;
}

function moduleLines(inspection: ModuleInspection): string[] {
  return [
    ...factLines([...fileRows(inspection, "core module"), ...moduleRows(inspection)]),
    ...section(
      "imports",
      inspection.imports.map((one) => [one.module, one.name, `${one.kind} ${one.type}`]),
    ),
    ...section(
      "exports",
      inspection.exports.map((one) => [one.name, `${one.kind} ${one.type}`]),
    ),
  ];
}

/** A component's core modules are its own affair: what they import and export is left to `--json`. */
function componentLines(inspection: ComponentInspection): string[] {
  const { modules, world } = inspection;
  return [
    ...factLines([...fileRows(inspection, "component"), ["features", featuresText(inspection.features)]]),
    ...(world.length === 0 ? factLines([["world", "imports and exports nothing"]]) : ["", "world"]),
    ...world.map((line) => `  ${harmless(line, CELL_LENGTH_MAX)}`),
    ...modules.flatMap((module, at) => [
      "",
      `core module ${at + 1} of ${modules.length}`,
      ...factLines([...identityRows(module), ...moduleRows(module)]).map((line) => `  ${line}`),
    ]),
  ];
}

function fileRows(inspection: FileFacts, kind: string): Fact[] {
  return [["file", inspection.file], ["kind", kind], ...identityRows(inspection)];
}

function identityRows({ sizeBytes, sha256 }: Omit<FileFacts, "file">): Fact[] {
  return [
    ["size", `${showBytes(sizeBytes)} (${showCount(sizeBytes)} bytes)`],
    ["sha256", sha256],
  ];
}

function featuresText(features: readonly string[]): string {
  return features.length === 0 ? "none beyond the first version" : features.join(", ");
}

function moduleRows(module: ModuleFacts): Fact[] {
  const { features, customSections } = module;
  return [
    ["code", `${showBytes(module.codeBytes)} in ${showCount(module.functions)} functions`],
    ["features", featuresText(features)],
    ["start", module.hasStart ? "runs a function when it is instantiated" : "none"],
    ...listed("memory", module.memories, (memory) => showRange(memory, "pages of 64 KiB")),
    ...listed("table", module.tables, (table) => showRange(table, `elements of ${table.element}`)),
    ...listed("custom", customSections, (one) => `${one.name} ${showBytes(one.bytes)}`),
    ...listed("made by", module.producers, (producer) => producer),
  ];
}

function showRange({ min, max, is64, isShared }: Range, unit: string): string {
  const range = max === null ? `${min} ${unit} at first, no maximum` : `${min} to ${max} ${unit}`;
  return `${range}${is64 ? ", 64-bit" : ""}${isShared ? ", shared" : ""}`;
}

/** The publisher chose the names, so they are made harmless before a terminal sees them. */
function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [...factLines([[title, "none"]])];
  const cells = rows.map((row) => row.map((cell) => harmless(cell.trimEnd(), CELL_LENGTH_MAX)));
  const columns = (rows[0] ?? []).map(() => ({ title: "", align: "left" }) as const);
  const [, ...lines] = tableLines(columns, cells);
  return ["", `${title} (${showCount(rows.length)})`, ...lines.map((line) => `  ${line}`)];
}
