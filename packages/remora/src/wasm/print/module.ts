/**
 * Prints a module in the text format, section by section, a line at a time: what wasm-tools reads back as the same
 * module. Indices are numbers; names from the name section stand beside them as comments.
 */

import { unreachable } from "../../base/index.ts";
import { type IndexSpaces, indexSpaces } from "../index-spaces.ts";
import { type DecodeLimits, defaultDecodeLimits } from "../limits.ts";
import type {
  ConstExpr,
  ElementSegment,
  ExternType,
  Module,
  RecGroup,
  Section,
  SectionKind,
} from "../module.ts";
import { type Names, readNames } from "../names.ts";
import { type Composite, type FieldType, formatStorageType } from "../sections/value-types.ts";
import { formatExternType } from "../summary.ts";
import { type PrintBody, printBody, printExpression } from "./body.ts";
import { quote, quoteBytes } from "./quote.ts";

export interface PrintOptions {
  /** Only sections of this kind; all by default. */
  readonly section?: SectionKind;
  /** Whether each operator has its byte offset beside it. */
  readonly offsets?: boolean;
  readonly limits?: DecodeLimits;
}

/**
 * The lines of a module's text, made as they are asked for, so that a large module needs no large string.
 *
 * @throws wasm/unknown-opcode, wasm/malformed, … for what is inside of bodies, with byte offset
 */
export function* printModule(module: Module, options: PrintOptions = {}): Generator<string> {
  const printer = new Printer(module, options);
  yield "(module";
  for (const section of module.sections) {
    if (options.section !== undefined && section.kind !== options.section) continue;
    for (const line of printer.section(section)) yield `  ${line}`;
  }
  yield ")";
}

class Printer {
  private readonly spaces: IndexSpaces;
  private readonly names: Names;
  private readonly body: PrintBody;
  private readonly limits: DecodeLimits;

  constructor(module: Module, options: PrintOptions) {
    this.spaces = indexSpaces(module);
    this.names = readNames(module);
    this.limits = options.limits ?? defaultDecodeLimits;
    this.body = {
      bytes: module.bytes,
      limits: this.limits,
      offsets: options.offsets ?? false,
      names: this.names,
    };
  }

  *section(section: Section): Generator<string> {
    const { spaces } = this;
    switch (section.kind) {
      case "custom":
        yield `(; custom section ${quote(section.name)}, ${section.items.length} bytes ;)`;
        return;
      case "type":
        yield* this.types(section.items);
        return;
      case "import":
        yield* this.imports(section.items);
        return;
      case "function":
        // Printed with their bodies.
        return;
      case "table":
        for (const [index, { type, init }] of section.items.entries()) {
          const at = spaces.imported.tables + index;
          const value = init === undefined ? "" : ` (${this.expression(init)})`;
          yield `(table ${this.note(at, this.names.tables)} ${this.type({ kind: "table", type })}${value})`;
        }
        return;
      case "memory":
        for (const [index, type] of section.items.entries()) {
          const at = spaces.imported.memories + index;
          yield `(memory ${this.note(at, this.names.memories)} ${this.type({ kind: "memory", type })})`;
        }
        return;
      case "tag":
        for (const [index, type] of section.items.entries()) {
          yield `(tag ${this.note(spaces.imported.tags + index)} (type ${type}))`;
        }
        return;
      case "global":
        for (const [index, { type, init }] of section.items.entries()) {
          const at = spaces.imported.globals + index;
          const note = this.note(at, this.names.globals);
          yield `(global ${note} ${this.type({ kind: "global", type })} ${this.expression(init)})`;
        }
        return;
      case "export":
        for (const { name, kind, index } of section.items) yield `(export ${quote(name)} (${kind} ${index}))`;
        return;
      case "start":
        yield `(start ${section.items})`;
        return;
      case "element":
        for (const [index, segment] of section.items.entries())
          yield `(elem (;${index};) ${this.element(segment)})`;
        return;
      case "dataCount":
        // Follows from the data section.
        return;
      case "code":
        for (const [index, body] of section.items.entries()) {
          const at = spaces.imported.functions + index;
          yield `(func ${this.note(at, this.names.functions)} (type ${spaces.functions[at]})`;
          for (const line of printBody(this.body, body, at)) yield `  ${line}`;
          yield ")";
        }
        return;
      case "data":
        for (const [index, { active, bytes }] of section.items.entries()) {
          const memory = active === undefined || active.memory === 0 ? "" : ` (memory ${active.memory})`;
          const offset = active === undefined ? "" : ` (offset ${this.expression(active.offset)})`;
          yield `(data (;${index};)${memory}${offset} ${quoteBytes(bytes)})`;
        }
        return;
      default:
        unreachable(section);
    }
  }

  private *types(groups: readonly RecGroup[]): Generator<string> {
    let index = 0;
    for (const group of groups) {
      const lines = group.types.map((type) => {
        const isPlain = type.isFinal && type.supertypes.length === 0;
        const composite = formatComposite(type.composite);
        const sub = ["sub", type.isFinal ? "final" : "", ...type.supertypes, composite].filter(
          (part) => part !== "",
        );
        return `(type ${this.note(index++, this.names.types)} ${isPlain ? composite : `(${sub.join(" ")})`})`;
      });
      if (!group.isExplicit) yield* lines;
      else yield* ["(rec", ...lines.map((line) => `  ${line}`), ")"];
    }
  }

  private *imports(
    imports: readonly { module: string; name: string; type: ExternType }[],
  ): Generator<string> {
    const counts = { func: 0, table: 0, memory: 0, global: 0, tag: 0 };
    const names = { func: this.names.functions, table: this.names.tables, memory: this.names.memories };
    for (const { module, name, type } of imports) {
      const { kind } = type;
      const known = kind === "func" || kind === "table" || kind === "memory" ? names[kind] : undefined;
      const index = this.note(counts[kind]++, kind === "global" ? this.names.globals : known);
      yield `(import ${quote(module)} ${quote(name)} (${kind} ${index} ${this.type(type)}))`;
    }
  }

  private type(type: ExternType): string {
    return type.kind === "func" || type.kind === "tag"
      ? `(type ${type.type})`
      : formatExternType(this.spaces, type);
  }

  private element({ mode, type, elements }: ElementSegment): string {
    const table = mode.kind === "active" && mode.table !== 0 ? `(table ${mode.table}) ` : "";
    const offset = mode.kind === "active" ? `(offset ${this.expression(mode.offset)}) ` : "";
    const declare = mode.kind === "declarative" ? "declare " : "";
    const items = elements.map((element) =>
      typeof element === "number" ? `${element}` : `(item ${this.expression(element)})`,
    );
    const isPlain = elements.every((element) => typeof element === "number") && type.heap === "func";
    const kind = isPlain && (elements.length > 0 || !type.isNullable) ? "func" : formatStorageType(type);
    return `${declare}${table}${offset}${[kind, ...items].join(" ")}`;
  }

  private expression(expr: ConstExpr): string {
    return printExpression(expr.bytes, this.limits);
  }

  private note(index: number, names?: ReadonlyMap<number, string>): string {
    const name = names?.get(index);
    return name === undefined ? `(;${index};)` : `(;${index} ${commentSafe(name)};)`;
  }
}

/** The publisher chose the name: it must not end the comment, nor start another line. */
function commentSafe(name: string): string {
  return quote(name).slice(1, -1).replaceAll(";", "\\3b");
}

function formatComposite(type: Composite): string {
  switch (type.kind) {
    case "func": {
      const parts = (keyword: string, types: readonly string[]) =>
        types.length === 0 ? "" : ` (${keyword} ${types.join(" ")})`;
      const parameters = parts("param", type.parameters.map(formatStorageType));
      return `(func${parameters}${parts("result", type.results.map(formatStorageType))})`;
    }
    case "struct":
      return `(struct${type.fields.map((field) => ` (field ${formatField(field)})`).join("")})`;
    case "array":
      return `(array ${formatField(type.element)})`;
    default:
      return unreachable(type);
  }
}

function formatField({ storage, isMutable }: FieldType): string {
  const type = formatStorageType(storage);
  return isMutable ? `(mut ${type})` : type;
}
