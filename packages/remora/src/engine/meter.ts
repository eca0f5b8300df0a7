/**
 * One budget over the core modules of an instance. Each rewritten module counts down a slice in a global of its
 * own and asks for the next when it is spent; the meter hands out slices so that their sum never exceeds the
 * fuel, and looks at the clock whenever it is asked.
 *
 * A slice is cut so that even a guest that turns as slow as guests can be (a page fault for every few instructions)
 * spends it before the deadline comes: long slices far from the deadline, short ones near it. The first is short
 * enough to need no look at the clock at all, so most calls never pay for one. A counter is left topped up between calls: a call
 * costs one exchange of numbers with each module, at its end.
 *
 * Whether a call succeeds never depends on the slices, and where it is stopped does not either, in one module. With
 * several, a module that called another before its next check may be overdrawn by a straight piece of code, and the
 * other notices only when its own slice is spent.
 *
 * Terms: `granted` is what all modules were given in this call, so `granted` less the counters is what they used,
 * also while a counter is negative (overdrawn); the pool is what nobody was given yet.
 */

import type { RemoraError } from "../base/index.ts";
import type { InjectedExports } from "../wasm/metering/contract.ts";
import { Allowance } from "./allowance.ts";
import { Counter, type SliceSource } from "./counter.ts";
import { type FusedSwap, fusedCountersMax, fusedSwap } from "./fused-swap.ts";
import type { Budget, Limits } from "./limits.ts";
import { trap } from "./trampoline.ts";
import type { WasmGlobal, WasmInstance, WasmTable } from "./webassembly.ts";

/** Why no guest code runs in this instance any more. `trapped` is a trap of the guest's own. */
export type Death = "out-of-fuel" | "deadline" | "aborted" | "trapped" | "closed";

export interface MeterOptions {
  readonly limits: Pick<Limits, "memoryPagesMax" | "tableElementsMax" | "stackSlotsMax">;
  /** Milliseconds on a monotonic clock. */
  readonly clock?: () => number;
  /** False for modules that count by estimates: their fuel is then without a bound. Default: true. */
  readonly isFuelExact?: boolean;
  /** Makes every slice this long, whatever the clock says: the outcome of a call must not depend on it. */
  readonly sliceUnits?: number;
}

/**
 * Units a millisecond that no guest is trusted to exceed, however fast it was in its last slice: it may turn to
 * stores that each touch a fresh page, which run at 0.005 to 0.01 units a nanosecond. Everything else (cache misses,
 * divisions, chunks of bulk operations) is faster.
 */
const trustedUnitsPerMs = 10_000;

/** Granted without a look at the clock, all modules together: 0.2 to 0.3 ms of the slowest guest. */
const unclockedUnits = 1_500;

/** A guest that was slower than trusted gets slices by its own speed, but none shorter than this. */
const sliceUnitsMin = 500;

/** Half of the time that is left, and this: slices get shorter towards the deadline without becoming nothing. */
const marginMs = 0.1;

/** Granted at once when there is no deadline: a refill a few milliseconds costs nothing. */
const undatedUnits = 1_000_000;

/** The counter is an i32, and a charge of up to 2^30 is subtracted before it is looked at. */
const sliceUnitsMax = 2 ** 30;

/** Making the fused exchange costs as much as it saves in this many calls, with three modules. */
const callsUntilFused = 500;

/** `deadlineAt` before the clock was looked at in this call; clocks count from zero up. */
const unread = -1;

export class Meter implements SliceSource {
  /** Set once, and then no guest code of this instance gets past its next check. */
  dead: Death | undefined;
  /** What `abort` was called with. */
  abortedBy: RemoraError | undefined;
  readonly pages: Allowance;
  readonly elements: Allowance;

  readonly #clock: () => number;
  readonly #sliceUnits: number | undefined;
  readonly #stackSlotsMax: number;
  readonly #isFuelExact: boolean;
  readonly #counters: Counter[] = [];
  /** The module that runs out most often: it gets the larger part of each slice. */
  #main: Counter | undefined;
  /** Sum of the counters between calls, and whether it must be dealt out anew. */
  #standing = 0;
  #isStandingStale = false;
  /** Whether a counter was changed by anything but its guest since the call began. */
  #isTouched = false;
  /** The last call ended without that. */
  #isFresh = false;
  /** Calls until the counters are worth being exchanged in one. */
  #callsUntilFused = callsUntilFused;
  #fused: FusedSwap | undefined;

  /** Of the running call, or of the last. */
  budget: Budget = { fuelMax: 0, deadlineMs: 0 };

  #isRunning = false;
  // Fractions to begin with, so that V8 never has to change how it stores these fields.
  #fuelMax = 0.5;
  #pool = 0.5;
  #granted = 0.5;
  #charged = 0.5;
  #fuelUsed = 0.5;
  #deadlineMs = 0.5;
  #deadlineAt = 0.5;
  #lookedAt = 0.5;
  #suspendedAt = 0.5;

  constructor(options: MeterOptions) {
    this.#clock = options.clock ?? monotonicMs;
    this.#sliceUnits = options.sliceUnits;
    this.#stackSlotsMax = options.limits.stackSlotsMax;
    this.#isFuelExact = options.isFuelExact ?? true;
    this.pages = new Allowance(options.limits.memoryPagesMax);
    this.elements = new Allowance(options.limits.tableElementsMax);
  }

  /**
   * Takes a rewritten module under the budget, right after it was instantiated and before any of its code runs.
   *
   * @param instance           With the injected exports.
   * @param injected           Their names.
   * @param stackSlotsUncounted What its frames need that do not count themselves.
   */
  attach(instance: WasmInstance, injected: InjectedExports, stackSlotsUncounted: number): void {
    const { exports } = instance;
    // The rewriter promises these names and types; see `InjectedExports`.
    const table = exports[injected.refill] as WasmTable;
    const swap = exports[injected.swapFuel] as (units: number) => number;
    const counter = new Counter(this, swap, exports[injected.fuel] as WasmGlobal, table);
    if (injected.stack !== undefined) {
      counter.stack = exports[injected.stack] as WasmGlobal;
      counter.stack.value = this.#stackSlotsMax - stackSlotsUncounted;
    }
    if (injected.pages !== undefined) this.pages.add(exports[injected.pages] as WasmGlobal);
    if (injected.elements !== undefined) this.elements.add(exports[injected.elements] as WasmGlobal);
    this.#counters.push(counter);
    this.#main ??= counter;
    this.#isStandingStale = true;
    this.#fused = undefined;
    this.#callsUntilFused = callsUntilFused;
    if (this.dead !== undefined) swap(-1);
  }

  /**
   * Opens the account of one call.
   *
   * @throws RangeError the budget is negative or not a number
   */
  begin(budget: Budget): void {
    const { deadlineMs } = budget;
    // Nothing was written since the last call began, and it had the same budget: everything stands as it must.
    if (
      this.#isFresh &&
      budget.fuelMax === this.#fuelMax &&
      deadlineMs === this.#deadlineMs &&
      !this.#isStandingStale
    ) {
      this.#isRunning = true;
      return;
    }
    if (!(budget.fuelMax >= 0 && deadlineMs >= 0)) {
      throw new RangeError(
        `A budget is two numbers from 0 up; this one is fuel ${budget.fuelMax}, deadline ${deadlineMs} ms`,
      );
    }
    const fuelMax = this.#isFuelExact ? budget.fuelMax : Infinity;
    const isTimed = deadlineMs !== Infinity;
    const unlooked = this.#sliceUnits ?? (isTimed ? unclockedUnits : undatedUnits);
    const standing = fuelMax < unlooked ? Math.floor(fuelMax) : unlooked;
    if (standing !== this.#standing || this.#isStandingStale) this.#deal(standing);
    this.budget = budget;
    this.#fuelMax = fuelMax;
    this.#pool = fuelMax - this.#standing;
    this.#granted = this.#standing;
    this.#charged = 0;
    this.#deadlineMs = deadlineMs;
    this.#deadlineAt = isTimed ? unread : Infinity;
    this.#isRunning = true;
  }

  /** Closes it. True when the call stayed within its fuel, to the unit, and nothing stopped it. */
  end(): boolean {
    this.#isRunning = false;
    if (this.dead !== undefined) {
      this.#fuelUsed = this.#consumed();
      return false;
    }
    const rest = this.#fused === undefined ? this.#swapEach() : this.#fused.swap();
    const used = this.#charged + this.#granted - rest;
    this.#isFresh = !this.#isTouched;
    if (this.#isTouched) this.#settle();
    this.#fuelUsed = used;
    if (used <= this.#fuelMax) return true;
    this.kill("out-of-fuel");
    return false;
  }

  /**
   * Units used by the running call so far, or by the last. After a trap of the guest's own, what it had counted when it
   * last wrote its counter.
   */
  get fuelUsed(): number {
    return this.#isRunning ? this.#consumed() : this.#fuelUsed;
  }

  /** Whether a guest ran out of stack slots. */
  get isStackSpent(): boolean {
    return this.#counters.some((counter) => counter.stack !== undefined && counter.stack.value < 0);
  }

  /**
   * Takes units off the running call for what a host function did. The guest that asked for too much is stopped
   * at its next check.
   *
   * @throws RangeError not a number from 0 up: it would credit the guest
   */
  charge(units: number): void {
    if (!(units >= 0)) throw new RangeError(`A charge is a number from 0 up, not ${units}`);
    this.#charged += units;
    this.#pool -= units;
    this.#isTouched = true;
    if (this.#pool < 0) this.#takeBack();
  }

  /** Starts the clock of this call if it has not yet been looked at. Before anything that may take long. */
  startClock(): void {
    if (this.#deadlineAt !== unread) return;
    this.#isTouched = true;
    this.#lookedAt = this.#clock();
    this.#deadlineAt = this.#lookedAt + this.#deadlineMs;
  }

  /** Makes the guest look at the clock at its next check. After anything that may have taken long. */
  lookAtClock(): void {
    if (this.dead === undefined && this.#deadlineAt !== Infinity) this.#takeBack();
  }

  /** The guest is suspended until a promise settles: its clock stands still. */
  suspend(): void {
    this.startClock();
    this.#isTouched = true;
    this.#suspendedAt = this.#clock();
  }

  /** The guest goes on. */
  resume(): void {
    this.#deadlineAt += this.#clock() - this.#suspendedAt;
    this.lookAtClock();
  }

  /** Stops the guest for good, so that it cannot catch it, and keeps the reason. Called from a host function. */
  abort(error: RemoraError): never {
    this.condemn(error);
    return trap();
  }

  /** The same without raising the trap: the guest is stopped at its next check. */
  condemn(error: RemoraError): void {
    if (this.dead === undefined) this.abortedBy = error;
    this.kill("aborted");
  }

  /** No guest code of this instance gets past its next check; the first reason stays. */
  kill(reason: Death): void {
    this.dead ??= reason;
    this.#takeBack();
  }

  /** Ends the account of a call in which no guest code ran. */
  cancel(): void {
    this.#isRunning = false;
    this.#isStandingStale = true;
  }

  /** Cuts the guests off: from now on their checks trap without asking. */
  close(): void {
    this.kill("closed");
    for (const counter of this.#counters) counter.cutOff();
  }

  /** Answers a module that has spent its slice, or that is about to do a part of something long. */
  refill(counter: Counter): number {
    if (this.dead !== undefined || !this.#isRunning) return this.#stop(counter);
    const rest = counter.swap(-1);
    // From here the counter is -1 in truth: the account of a guest that is stopped below stays right.
    this.#pool += rest + 1;
    this.#granted -= rest + 1;
    this.#isTouched = true;
    let slice = this.#sliceUnits ?? undatedUnits;
    if (this.#deadlineAt !== Infinity) {
      const timed = this.#timedSlice(counter.ceiling - rest);
      if (timed === 0) {
        this.kill("deadline");
        return 1;
      }
      slice = this.#sliceUnits ?? timed;
    }
    if (this.pages.isShared) this.pages.share();
    if (this.elements.isShared) this.elements.share();
    return this.#grant(counter, slice, rest < 0);
  }

  /** Looks at the clock: units until the next look, or 0 when the time is over. */
  #timedSlice(used: number): number {
    const now = this.#clock();
    const elapsedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    if (this.#deadlineAt === unread) {
      this.#deadlineAt = now + this.#deadlineMs;
      // Its speed is not known yet.
      return 2 * unclockedUnits;
    }
    const leftMs = this.#deadlineAt - now;
    if (leftMs <= 0) return 0;
    const unitsPerMs = elapsedMs > 0 ? Math.min(used / elapsedMs, trustedUnitsPerMs) : trustedUnitsPerMs;
    const units = unitsPerMs * (leftMs / 2 + marginMs);
    return Math.max(sliceUnitsMin, Math.min(units, sliceUnitsMax));
  }

  /** Gives `counter`, which is empty, its part of a slice. */
  #grant(counter: Counter, slice: number, wasSpent: boolean): number {
    if (this.#counters.length > 1) this.#trimOthers(counter, slice);
    const available = this.#pool - 1;
    if (available < 0) {
      this.kill("out-of-fuel");
      return 1;
    }
    // A part of what is left, lest one module holds all of it and every call across takes it back.
    const most =
      this.#counters.length > 1 ? Math.max(available / 4, Math.min(slice, unclockedUnits)) : available;
    const units = Math.floor(Math.min(this.#part(counter, slice), most, available));
    this.#pool -= units + 1;
    this.#granted += units + 1;
    counter.ceiling = units;
    counter.swap(units);
    if (wasSpent) this.#promote(counter);
    return 0;
  }

  /** Takes from the other modules what they hold beyond their part, and everything when the pool is spent. */
  #trimOthers(counter: Counter, slice: number): void {
    const isSpent = this.#pool - 1 < this.#part(counter, slice);
    for (const other of this.#counters) {
      if (other === counter) continue;
      const part = isSpent ? 0 : this.#part(other, slice);
      if (other.ceiling <= part && !isSpent) continue;
      // A suspended frame has written its counter before the call and reads it after, so this is safe.
      const rest = other.swap(-1);
      const kept = Math.max(Math.min(rest, part), 0);
      other.swap(kept);
      other.ceiling = part;
      this.#pool += rest - kept;
      this.#granted -= rest - kept;
    }
  }

  /** Units of a slice that a module may hold. The small ones that only pass calls on get little. */
  #part(counter: Counter, slice: number): number {
    const others = this.#counters.length - 1;
    if (others === 0) return slice;
    const small = Math.floor(slice / (4 * others));
    return counter === this.#main ? slice - small * others : small;
  }

  #promote(counter: Counter): void {
    counter.refills++;
    if (counter === this.#main || counter.refills <= (this.#main?.refills ?? 0)) return;
    this.#main = counter;
    this.#isStandingStale = true;
  }

  /** Deals the units that are granted before the call begins. */
  #deal(standing: number): void {
    for (const counter of this.#counters) {
      counter.standing = this.#part(counter, standing);
      counter.ceiling = counter.standing;
      counter.swap(counter.standing);
    }
    this.#fused?.standing.forEach((global, index) => {
      global.value = this.#counters[index]?.standing ?? 0;
    });
    this.#standing = this.#counters.length === 0 ? 0 : standing;
    this.#isStandingStale = false;
  }

  /** Makes every counter negative without changing what was used; the rest goes to the pool. */
  #takeBack(): void {
    for (const counter of this.#counters) {
      const rest = counter.swap(-1);
      this.#pool += rest + 1;
      this.#granted -= rest + 1;
      counter.ceiling = 0;
    }
    this.#isTouched = true;
  }

  #stop(counter: Counter): number {
    this.#granted -= counter.swap(-1) + 1;
    this.#isFresh = false;
    return 1;
  }

  #consumed(): number {
    let used = this.#charged + this.#granted;
    for (const counter of this.#counters) {
      const rest = counter.swap(-1);
      counter.swap(rest);
      used -= rest;
    }
    return used;
  }

  /** Tops every counter up and gives back the sum of what they were. */
  #swapEach(): number {
    const { length } = this.#counters;
    if (--this.#callsUntilFused < 0 && length > 0 && length <= fusedCountersMax) {
      this.#fused = fusedSwap(this.#counters.map((counter) => counter.fuel));
      this.#isStandingStale = true;
    }
    let rest = 0;
    for (const counter of this.#counters) rest += counter.swap(counter.standing);
    return rest;
  }

  #settle(): void {
    for (const counter of this.#counters) counter.ceiling = counter.standing;
    this.#isTouched = false;
  }
}

function monotonicMs(): number {
  return performance.now();
}
