/** Types as WIT text, each compound one under a name of its own. */

import type { ValueType } from "../types.ts";
import { componentFromWit } from "./harness.test.ts";

const interfaceName = "example:echo/echo@1.0.0";
/** With these beside it, any value is too large to be passed as core values, and goes through memory both ways. */
const padding = 17;

/**
 * A guest whose `echo` takes and returns a tuple of the value and some bytes. Parameters and results lie in memory
 * in the same way, so that it only has to hand back the pointer.
 */
export function echoGuest(type: ValueType, encoding: Encoding = "utf8"): Promise<Uint8Array> {
  return echoing(type, {
    encoding,
    func: "func",
    imports: "",
    core: `(func (export "${interfaceName}#echo") (param i32) (result i32) (local.get 0))`,
  });
}

/** The same guest, whose function is asynchronous and gives its result before it returns. */
export function asyncEchoGuest(type: ValueType): Promise<Uint8Array> {
  return echoing(type, {
    encoding: "utf8",
    func: "async func",
    imports: `(import "[export]${interfaceName}" "[task-return]echo" (func $return (param i32)))`,
    core: `
      (func (export "[async-lift]${interfaceName}#echo") (param i32) (result i32)
        (call $return (local.get 0)) (i32.const 0))
      (func (export "[callback][async-lift]${interfaceName}#echo") (param i32 i32 i32) (result i32) unreachable)`,
  });
}

type Encoding = "utf8" | "utf16" | "compact-utf16";

interface EchoParts {
  readonly encoding: Encoding;
  readonly func: string;
  readonly imports: string;
  readonly core: string;
}

function echoing(type: ValueType, { encoding, func, imports, core }: EchoParts): Promise<Uint8Array> {
  const declarations: string[] = [];
  const name = witOf(type, declarations);
  const pair = `tuple<${[name, ...new Array<string>(padding).fill("u8")].join(", ")}>`;
  return componentFromWit({
    wit: `package example:echo@1.0.0;
      interface echo {
        ${declarations.join("\n")}
        echo: ${func}(value: ${pair}) -> ${pair};
      }
      world guest { export echo; }`,
    world: "guest",
    encoding,
    wat: `(module
      ${imports}
      (memory (export "memory") 16)
      (global $top (mut i32) (i32.const 64))
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
        (local.set $p (i32.and
          (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get 2))))
        (global.set $top (i32.add (local.get $p) (local.get 3)))
        (if (local.get 0) (then (memory.copy (local.get $p) (local.get 0) (local.get 1))))
        (local.get $p))
      ${core})`,
  });
}

/** What \`echo\` is to be called with for a value. */
export function padded(value: unknown): unknown[] {
  return [value, ...new Array<number>(padding).fill(7)];
}

/** Whether WIT can say it without a gate. */
export function isPlainWit(type: ValueType): boolean {
  if (type.kind === "map" || (type.kind === "list" && type.length !== undefined)) return false;
  return parts(type).every(isPlainWit);
}

function parts(type: ValueType): readonly ValueType[] {
  const present = (inner: ValueType | undefined) => (inner === undefined ? [] : [inner]);
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "variant":
      return type.cases.flatMap((entry) => present(entry.type));
    case "tuple":
      return type.elements;
    case "list":
      return [type.element];
    case "option":
      return [type.some];
    case "result":
      return [...present(type.ok), ...present(type.err)];
    default:
      return [];
  }
}

function witOf(type: ValueType, declarations: string[]): string {
  const of = (inner: ValueType) => witOf(inner, declarations);
  const declare = (keyword: string, body: string) => {
    const name = `t${declarations.length}`;
    declarations.push(`${keyword} ${name} { ${body} }`);
    return name;
  };
  switch (type.kind) {
    case "record":
      return declare("record", type.fields.map((field) => `${field.name}: ${of(field.type)}`).join(", "));
    case "variant":
      return declare(
        "variant",
        type.cases.map((entry) => (entry.type ? `${entry.name}(${of(entry.type)})` : entry.name)).join(", "),
      );
    case "flags":
      return declare("flags", type.names.join(", "));
    case "enum":
      return declare("enum", type.names.join(", "));
    case "tuple":
      return `tuple<${type.elements.map(of).join(", ")}>`;
    case "list":
      return `list<${of(type.element)}>`;
    case "option":
      return `option<${of(type.some)}>`;
    case "result": {
      const { ok, err } = type;
      if (ok === undefined && err === undefined) return "result";
      return `result<${ok ? of(ok) : "_"}${err ? `, ${of(err)}` : ""}>`;
    }
    default:
      return type.kind;
  }
}
