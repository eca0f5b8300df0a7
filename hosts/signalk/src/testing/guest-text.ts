/** Signal K plugins in WebAssembly text, of the buffer convention, for tests: each says in one place what it does. */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";

export interface GuestText {
  /** Imports from `env`: name and type, as `(param i32 i32)`. */
  readonly imports?: Readonly<Record<string, string>>;
  /** Imports of other modules, as text. */
  readonly otherImports?: string;
  /** Texts by name: each becomes two constants, its address and its length. */
  readonly texts?: Readonly<Record<string, string>>;
  /** What `plugin_start` does; it leaves its status. */
  readonly start?: string;
  /** More functions, with their exports. */
  readonly functions?: string;
  readonly name?: string;
  readonly schema?: string;
}

/** The call of an import with texts: `call("sk_set_status", "ready")`, two constants for each. */
export function call(name: string, ...texts: readonly string[]): string {
  return `(call $${name} ${texts.map((text) => `${at(text)} ${lengthOf(text)}`).join(" ")})`;
}

const at = (text: string) => `(global.get $${text})`;
const lengthOf = (text: string) => `(global.get $${text}_length)`;

/** A function of the convention `(out, max) -> length` or with a request before it, that answers with a text. */
export function answering(
  name: string,
  text: string,
  parameters: "out" | "request" = "request",
  before = "",
): string {
  const head = parameters === "out" ? "" : "(param $text i32) (param $length i32)";
  return `(func (export "${name}") ${head} (param $out i32) (param $max i32) (result i32) ${before}
    (memory.copy (local.get $out) ${at(text)} ${lengthOf(text)}) ${lengthOf(text)})`;
}

/**
 * A handler whose answer is the text `head`, what is written behind it, and what ends it.
 *
 * @param write Moves `$end` to where what it wrote ends.
 */
export function answeringWritten(name: string, write: string, last: string): string {
  const bytes = [...Buffer.from(last)].map(
    (byte, index) => `(i32.store8 offset=${index} (local.get $end) (i32.const ${byte}))`,
  );
  return `(func (export "${name}") (param i32 i32) (param $out i32) (param $max i32) (result i32) (local $end i32)
    (memory.copy (local.get $out) ${at("head")} ${lengthOf("head")})
    (local.set $end (i32.add (local.get $out) ${lengthOf("head")}))
    ${write} ${bytes.join(" ")}
    (i32.add (i32.sub (local.get $end) (local.get $out)) (i32.const ${bytes.length})))`;
}

export function guestWat(guest: GuestText): string {
  const texts = {
    name: guest.name ?? "Test plugin",
    schema: guest.schema ?? '{"type":"object"}',
    ...guest.texts,
  };
  let place = 1_024;
  const data: string[] = [];
  for (const [name, text] of Object.entries(texts)) {
    const bytes = Buffer.from(text);
    const escaped = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
    data.push(`(data (i32.const ${place}) "${escaped}")`);
    data.push(
      `(global $${name} i32 (i32.const ${place})) (global $${name}_length i32 (i32.const ${bytes.length}))`,
    );
    place += bytes.length;
  }
  const imports = Object.entries(guest.imports ?? {}).map(
    ([name, type]) => `(import "env" "${name}" (func $${name} ${type}))`,
  );
  return `(module ${imports.join("\n")} ${guest.otherImports ?? ""}
    (memory (export "memory") 4 100)
    (global $top (mut i32) (i32.const 32768))
    ${data.join("\n")}
    (func (export "allocate") (param $length i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.add (global.get $top) (local.get $length)))
      (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
        (then (global.set $top (i32.add (i32.const 32768) (local.get $length))) (local.set $at (i32.const 32768))))
      (local.get $at))
    (func (export "deallocate") (param i32 i32))
    ${answering("plugin_id", "name", "out")}
    ${answering("plugin_name", "name", "out")}
    ${answering("plugin_schema", "schema", "out")}
    (func (export "plugin_start") (param $text i32) (param $length i32) (result i32) ${guest.start ?? "(i32.const 0)"})
    (func (export "plugin_stop") (result i32) (i32.const 0))
    ${guest.functions ?? ""})`;
}

export async function guestBytes(guest: GuestText): Promise<Uint8Array> {
  return parse(guestWat(guest));
}
