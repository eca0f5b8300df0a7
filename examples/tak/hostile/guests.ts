/**
 * Plugins that mean harm, each a few lines of WebAssembly text in the frame of a well-behaved one. Tests of the
 * host and of the runtime load them: none may take more than its own call with it.
 */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { wrap } from "../../../sdk/wrap.ts";

export interface HostileGuest {
  /** What it does, as a claim. */
  readonly does: string;
  readonly world: string;
  /** The core module as text. */
  readonly text: string;
}

/** Builds one; gives the bytes of a component. */
export async function buildHostile(guest: HostileGuest, witFolder: string): Promise<Uint8Array> {
  const core = await parse(guest.text);
  return wrap(core, { world: guest.world, witFolder, stringEncoding: "utf8" });
}

interface FilterParts {
  /** Of `evaluate`; the message's address is `$message`. Default: pass. */
  readonly evaluate?: string;
  /** Of `describe`. Default: the text "a filter". */
  readonly describe?: string;
  /** Of `cabi_realloc`. Default: a bump pointer. */
  readonly realloc?: string;
  /** Further fields of the module. */
  readonly fields?: string;
  /** The memory's limits, in pages. */
  readonly memory?: string;
}

const bump = `
  (local $at i32)
  (local.set $at (i32.and
    (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get $align))))
  (global.set $next (i32.add (local.get $at) (local.get $size)))
  (local.get $at)`;

/** A plugin of `omnitak:plugin/filter-plugin@0.1.0`, well-behaved but for its parts. */
function filter(does: string, parts: FilterParts): HostileGuest {
  const text = `(module
  (import "omnitak:plugin/host@0.1.0" "log" (func $log (param $level i32) (param $at i32) (param $size i32)))
  (import "omnitak:plugin/host@0.1.0" "get-current-time-ms" (func $now (result i64)))
  (memory (export "memory") ${parts.memory ?? "1"})
  (global $next (mut i32) (i32.const 4096))
  (data (i32.const 16) "\\20\\00\\00\\00\\08\\00\\00\\00")
  (data (i32.const 32) "a filter\\ff\\fe")
  ${parts.fields ?? ""}
  (func (export "cabi_realloc")
    (param $old i32) (param $oldSize i32) (param $align i32) (param $size i32) (result i32)
    ${parts.realloc ?? bump})
  (func $evaluate (export "omnitak:plugin/filter@0.1.0#evaluate") (param $message i32) (result i32)
    (global.set $next (i32.const 4096))
    ${parts.evaluate ?? "(i32.const 0)"})
  (func (export "omnitak:plugin/filter@0.1.0#describe") (result i32) ${parts.describe ?? "(i32.const 16)"})
  (func (export "omnitak:plugin/filter@0.1.0#get-metadata") (result i32) (i32.const 128)))`;
  return { does, world: "omnitak:plugin/filter-plugin@0.1.0", text };
}

/** A plugin of `remora:tak/lazy-filter@0.1.0`, well-behaved but for how it treats the message's handle. */
function lazy(does: string, evaluate: string): HostileGuest {
  const text = `(module
  (import "remora:tak/messages@0.1.0" "[method]message.lat" (func $lat (param i32) (result f64)))
  (import "remora:tak/messages@0.1.0" "[resource-drop]message" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "remora:tak/lazy@0.1.0#evaluate") (param $message i32) (result i32) ${evaluate})
  (func (export "remora:tak/lazy@0.1.0#describe") (result i32) (i32.const 128))
  (func (export "remora:tak/lazy@0.1.0#get-metadata") (result i32) (i32.const 128)))`;
  return { does, world: "remora:tak/lazy-filter@0.1.0", text };
}

/** A plugin of `omnitak:plugin/transformer-plugin@0.1.0`, well-behaved but for what `transform` gives. */
function transformer(does: string, transform: string): HostileGuest {
  const text = `(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "omnitak:plugin/transformer@0.1.0#transform") (param $at i32) (param $size i32) (result i32)
    ${transform}
    (i32.const 128))
  (func (export "omnitak:plugin/transformer@0.1.0#can-transform") (param i32 i32) (result i32) (i32.const 1))
  (func (export "omnitak:plugin/transformer@0.1.0#get-metadata") (result i32) (i32.const 256)))`;
  return { does, world: "omnitak:plugin/transformer-plugin@0.1.0", text };
}

/** By name; the component is at `tak/hostile/build/<name>.wasm` once the examples are built. */
export const hostileGuests: Readonly<Record<string, HostileGuest>> = {
  loops: filter("never comes back", {
    evaluate: "(loop $forever (br $forever)) (unreachable)",
  }),
  "loops-at-start": filter("never finishes starting", {
    fields: "(func $start (loop $forever (br $forever))) (start $start)",
  }),
  "loops-in-describe": filter("never says what it is", {
    describe: "(loop $forever (br $forever)) (unreachable)",
  }),
  "loops-in-realloc": filter("never finds room for an argument", {
    realloc: "(loop $forever (br $forever)) (unreachable)",
  }),
  "loops-on-host": filter("asks for the time until it is stopped", {
    evaluate: "(loop $forever (drop (call $now)) (br $forever)) (unreachable)",
  }),
  "catches-all": filter("catches whatever ends it, and goes on", {
    evaluate: `
    (loop $forever
      (block $caught (try_table (catch_all $caught) (loop $again (drop (call $now)) (br $again))))
      (br $forever))
    (unreachable)`,
  }),
  "fills-memory": filter("fills pages until it is stopped", {
    evaluate: `
    (loop $forever
      (drop (memory.grow (i32.const 1)))
      (memory.fill (i32.const 65536) (i32.const 1)
        (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536)))
      (br $forever))
    (unreachable)`,
  }),
  recurses: filter("calls itself until the stack ends", {
    evaluate: "(i32.add (call $evaluate (local.get $message)) (i32.const 1))",
  }),
  "grows-memory": filter("takes all memory that it gets, then passes the message", {
    evaluate: `
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (i32.const 0)`,
  }),
  "grows-table": filter("takes all table entries that it gets, then passes the message", {
    fields: "(table $table 1 funcref)",
    evaluate: `
    (loop $more
      (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 4096)) (i32.const -1))))
    (i32.const 0)`,
  }),
  "wants-4-gib": filter("asks for 4 GiB before it has done anything", { memory: "65536" }),
  traps: filter("stops at once", { evaluate: "(unreachable)" }),
  "divides-by-zero": filter("divides by zero", {
    evaluate: "(i32.div_u (i32.const 1) (i32.sub (local.get $message) (local.get $message)))",
  }),
  "reads-outside": filter("reads behind its memory", { evaluate: "(i32.load (i32.const -16))" }),
  "traps-in-realloc": filter("stops when it is asked for room", { realloc: "(unreachable)" }),
  "realloc-outside": filter("gives room behind its memory", { realloc: "(i32.const 0x7ffffff0)" }),
  "realloc-at-the-end": filter("gives room that starts inside its memory and ends outside", {
    realloc: "(i32.sub (i32.const 65536) (local.get $align))",
  }),
  "realloc-misaligned": filter("gives room at an odd address", { realloc: "(i32.const 4097)" }),
  "realloc-grows": filter("takes a page for each argument, and keeps it", {
    realloc: `
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
    (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536))`,
  }),
  "unknown-result": filter("answers with an enum case that does not exist", { evaluate: "(i32.const 7)" }),
  "describe-outside": filter("describes itself with a text behind its memory", {
    describe: `
    (i32.store (i32.const 64) (i32.const 65530)) (i32.store (i32.const 68) (i32.const 100))
    (i32.const 64)`,
  }),
  "describe-pointer-outside": filter("says that its text is behind its memory", {
    describe: "(i32.const 0x7ffffff0)",
  }),
  "describe-huge": filter("describes itself with a text of two gigabytes", {
    describe: `
    (i32.store (i32.const 64) (i32.const 32)) (i32.store (i32.const 68) (i32.const 0x7fffffff))
    (i32.const 64)`,
  }),
  "describe-not-utf8": filter("describes itself with bytes that are no UTF-8", {
    describe: `
    (i32.store (i32.const 64) (i32.const 32)) (i32.store (i32.const 68) (i32.const 10))
    (i32.const 64)`,
  }),
  "floods-log": filter("logs until it is stopped", {
    evaluate: `
    (loop $forever (call $log (i32.const 4) (i32.const 32) (i32.const 8)) (br $forever))
    (unreachable)`,
  }),
  "logs-outside": filter("logs a text behind its memory", {
    evaluate: "(call $log (i32.const 4) (i32.const 65530) (i32.const 100)) (i32.const 0)",
  }),
  "logs-unknown-level": filter("logs at a level that does not exist", {
    evaluate: "(call $log (i32.const 9) (i32.const 32) (i32.const 8)) (i32.const 0)",
  }),
  "logs-a-megabyte": filter("logs a megabyte of zeros, then passes the message", {
    memory: "17",
    evaluate: "(call $log (i32.const 2) (i32.const 65536) (i32.const 1048576)) (i32.const 0)",
  }),
  "forges-a-handle": lazy(
    "reads a message that it was not lent",
    "(drop (call $lat (i32.const 12345))) (call $drop (local.get $message)) (i32.const 0)",
  ),
  "keeps-its-loan": lazy("does not give the message back", "(i32.const 0)"),
  "gives-back-twice": lazy(
    "gives the message back twice",
    "(call $drop (local.get $message)) (call $drop (local.get $message)) (i32.const 0)",
  ),
  "reads-after-giving-back": lazy(
    "reads the message that it has given back",
    "(call $drop (local.get $message)) (drop (call $lat (local.get $message))) (i32.const 0)",
  ),
  "transforms-outside": transformer(
    "gives a list that ends behind its memory",
    "(i32.store (i32.const 132) (i32.const 65530)) (i32.store (i32.const 136) (i32.const 100))",
  ),
  "transforms-huge": transformer(
    "gives a list of two gigabytes",
    "(i32.store (i32.const 132) (i32.const 0)) (i32.store (i32.const 136) (i32.const 0x7fffffff))",
  ),
  "transforms-neither": transformer(
    "gives a result that is neither a value nor an error",
    "(i32.store8 (i32.const 128) (i32.const 2))",
  ),
  "transforms-to-nonsense": transformer(
    "gives bytes that are no event",
    "(i32.store (i32.const 132) (local.get $at)) (i32.store (i32.const 136) (i32.const 1))",
  ),
};
