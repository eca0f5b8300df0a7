/**
 * What the meter of the engine and the rewriter agree on: what goes in, what comes out, and what each injected
 * export means. The rewriter never runs anything; the meter never looks into a body.
 */

import type { DecodeLimits } from "../limits.ts";

/**
 * Every injected export starts with this; a module that imports or exports such a name itself is refused. It is no
 * kebab-case name, so that no interface of a WIT package can begin with it, Remora's own (`remora:tak`) included.
 */
export const reservedPrefix = "__remora:";

/** Where a module that shares its counters imports them from, each as a mutable i32 global. */
export const counterModule = `${reservedPrefix}counters`;

/** What a module counts in. What each means stands at `InjectedExports`. */
export type CounterName = "fuel" | "stack" | "pages" | "elements";

/** Part of every cache key: changes whenever the same module and options would give other bytes. */
export const rewriterVersion = 14;

/** What a rewritten module counts. */
export type MeterMode =
  /** Exact fuel in wasmtime's units; the deadline is noticed whenever the slice is spent. */
  | "fuel"
  /** For trusted plugins: the counter goes down by estimates at loops and entries only; deadline and memory hold. */
  | "deadline";

/** Which modules are accepted. `strict` is deterministic: see `profile.ts`. */
export type ProfileName = "default" | "strict";

export interface MeterOptions {
  readonly mode: MeterMode;
  readonly profile: ProfileName;
  /** Pages of 64 KiB, summed over all memories that the module defines. */
  readonly memoryPagesMax: number;
  /** Elements, summed over all tables that the module defines. */
  readonly tableElementsMax: number;
  /** Whether recursion and indirect calls spend stack slots (the counter `stack`). */
  readonly stack: boolean;
  /**
   * Whether the counters are imported, so that all modules of an instance count in the same ones; else the module has
   * its own. A module of its own is some percent faster. Default: false.
   */
  readonly sharesCounters?: boolean;
  /** Bounds on the decoder's work; `defaultDecodeLimits` when absent. */
  readonly sizes?: DecodeLimits;
  /** Features accepted beyond the profile: the operator's decision, by name (see `profile.ts`), none by default. */
  readonly allow?: readonly string[];
}

export interface MeteredModule {
  readonly bytes: Uint8Array;
  readonly injected: InjectedExports;
  /** The memories that the module imports, then those that it defines. */
  readonly memories: readonly MemoryFacts[];
  /** The tables that the module imports, then those that it defines; without the injected one. */
  readonly tables: readonly TableFacts[];
  /** Pages that the defined memories have at the start, summed. */
  readonly memoryPagesMin: number;
  /** Elements that the defined tables have at the start, summed. */
  readonly tableElementsMin: number;
  /** Upper bound, in stack slots, of all the frames that do not count themselves. Zero without `stack`. */
  readonly stackSlotsUncounted: number;
  /** What the module costs to compile, in the units of `DecodeLimits.compileWork`. */
  readonly compileWork: number;
  /** Bytes of the code section before and after. */
  readonly codeBytes: { readonly before: number; readonly after: number };
}

/**
 * Names of the injected exports. The meter takes them; nobody else may see them. Of the counters those that the module
 * has itself; where they are shared, it imports them under `counterModule` and exports none.
 */
export interface InjectedExports {
  /**
   * Function (i32) -> i32: sets the counter `fuel` and gives back what it was. The counter has the units that are left
   * of the slice; negative is exhausted (the overdraft). It starts at 0, so the first check asks for a slice. Measured
   * on Node 26: the function takes 1 to 2 ns from JavaScript, where reading or writing a global takes 15 ns.
   *
   * Where the module has a counter of its own and bulk operations on memories, it is (i32, i32) -> i32, as its `length` says: the
   * second number are units set aside. Such an operation takes its bytes from there, when there are enough and the
   * counter is not negative, and then checks nothing. What is given back is the sum of both.
   */
  readonly swapFuel: string;
  /**
   * Funcref table of exactly one element. The host puts a WebAssembly function of type () -> i32 into slot 0
   * before any guest code runs. When it is called, `fuel` is right. It answers 0 to go on, after having
   * made `fuel` non-negative; anything else and the module executes `unreachable`, which no guest can catch.
   *
   * A call with a non-negative counter is a tick: before each growth of a memory or table and between the chunks
   * of a long bulk operation. Look at the clock; if all is well leave the counter and answer 0.
   * A null slot traps: an instance without a meter cannot run.
   */
  readonly refill: string;
  /**
   * Mutable i32 global: stack slots left. It starts at 0: the host sets it before any guest code runs. A function
   * that would need more than is left leaves the negative number in it and executes `unreachable`; so after a
   * trap `stack.value < 0` means that the guest ran out of stack, and nothing else makes it negative.
   * After a call that returned normally it is what it was before.
   * Absent when nothing in the module counts stack slots, or when it is shared.
   */
  readonly stack?: string;
  /** Function () -> (): the original start function; call it once, metered, right after attaching. */
  readonly start?: string;
  /**
   * Mutable i32 global: pages that may still be added to the memories that the module defines or imports, summed.
   * It starts at `memoryPagesMax` less the minimums of the defined ones; `memory.grow` answers -1 beyond it and
   * subtracts what it added. The host may lower or raise it at any time (a tick comes before each growth). Absent when
   * the module never grows a memory, or when it is shared.
   */
  readonly pages?: string;
  /** The same for table elements. Absent when the module never grows a table. */
  readonly elements?: string;
}

export interface MemoryFacts {
  /** Module and name when it is imported. The host that provides it gives it a maximum. */
  readonly import?: { readonly module: string; readonly name: string };
  readonly minPages: number;
  /** As rewritten: never above the cap when the module defines the memory. */
  readonly maxPages: number | undefined;
  readonly isMemory64: boolean;
  readonly isShared: boolean;
}

export interface TableFacts {
  readonly import?: { readonly module: string; readonly name: string };
  readonly minElements: number;
  readonly maxElements: number | undefined;
}
