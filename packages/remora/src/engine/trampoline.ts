/**
 * How a guest's slow path reaches the meter. The rewritten module calls slot 0 of its own table, and only a
 * WebAssembly function may stand there; so a tiny module wraps a JavaScript function in exported ones. One
 * instance of it serves sixteen guests, since making an instance costs 7 µs and a further export 1 µs.
 */

import { type WasmModule, webAssembly } from "./webassembly.ts";

/** Answers a refill: 0 lets the guest go on, anything else makes it execute `unreachable`. */
export interface RefillTarget {
  refill(): number;
}

/** A WebAssembly function of type () -> i32 that asks its target. */
export interface Trampoline {
  readonly call: () => number;
  /** From now on the function answers "trap", and sooner or later serves another target. */
  release(): void;
}

const slotsPerBlock = 16;

/** Function of a block that executes `unreachable`: a trap raised inside WebAssembly, which no guest catches. */
const trapExport = "t";

/** Between a slot and its target, so that it can be emptied: see `Slot`. */
interface Holder {
  target: RefillTarget | undefined;
}

interface Slot {
  /**
   * Weak, so that a meter that was dropped without `close` takes its guest with it. And not the target's own: until
   * the running job ends a new WeakRef keeps alive what it refers to, and V8 has address space for 16,000 memories.
   */
  holder: WeakRef<Holder> | undefined;
  readonly call: () => number;
}

let compiled: WasmModule | undefined;
let raise: (() => never) | undefined;
const spare: Slot[] = [];

/**
 * A trampoline for this target. The caller keeps the target alive as long as its guest may run: a guest whose
 * target is gone is trapped.
 */
export function trampolineTo(target: RefillTarget): Trampoline {
  if (spare.length === 0) addBlock();
  // `addBlock` has just added sixteen.
  const slot = spare.pop() as Slot;
  const holder: Holder = { target };
  slot.holder = new WeakRef(holder);
  let isReleased = false;
  return {
    call: slot.call,
    release() {
      if (isReleased) return;
      isReleased = true;
      holder.target = undefined;
      slot.holder = undefined;
      spare.push(slot);
    },
  };
}

/** Executes `unreachable` inside WebAssembly: guests between here and the host cannot catch what it throws. */
export function trap(): never {
  if (raise === undefined) addBlock();
  // `addBlock` has just set it.
  return (raise as () => never)();
}

function addBlock(): void {
  compiled ??= new webAssembly.Module(blockModule());
  const slots: Slot[] = [];
  const refill = (index: number) => slots[index]?.holder?.deref()?.target?.refill() ?? 1;
  const { exports } = new webAssembly.Instance(compiled, { h: { r: refill } });
  for (let index = 0; index < slotsPerBlock; index++) {
    // The module below exports a function of this type under each index.
    slots.push({ holder: undefined, call: exports[index] as () => number });
  }
  raise = exports[trapExport] as () => never;
  spare.push(...slots);
}

/** Import "h" "r": (i32) -> i32; export "0" to "15": () -> i32, each calling the import with its own number. */
function blockModule(): Uint8Array {
  const section = (id: number, ...content: number[]) => [id, content.length, ...content];
  const each = (entry: (index: number) => number[]) =>
    Array.from({ length: slotsPerBlock }, (_, index) => entry(index)).flat();
  const name = (text: string) => [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
  const types = section(1, 3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f, 0x60, 0, 0);
  const imports = section(2, 1, ...name("h"), ...name("r"), 0, 0);
  const functions = section(3, slotsPerBlock + 1, ...each(() => [1]), 2);
  const exports = section(
    7,
    slotsPerBlock + 1,
    ...each((index) => [...name(String(index)), 0, index + 1]),
    ...[...name(trapExport), 0, slotsPerBlock + 1],
  );
  // Bodies: no locals, `i32.const index`, `call 0`, `end`; and `unreachable`, `end`.
  const code = section(
    10,
    slotsPerBlock + 1,
    ...each((index) => [6, 0, 0x41, index, 0x10, 0, 0x0b]),
    3,
    0,
    0,
    0x0b,
  );
  return Uint8Array.of(
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...types,
    ...imports,
    ...functions,
    ...exports,
    ...code,
  );
}
