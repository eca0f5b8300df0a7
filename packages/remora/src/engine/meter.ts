/**
 * One budget over the core modules of an instance. A rewritten module counts down a slice and asks for the next when it
 * is spent; the meter hands out slices so that their sum never exceeds the fuel, and looks at the clock whenever it is
 * asked. A module that is alone counts in a global of its own; several import the same ones from the meter, so that
 * for fuel, stack and growth they are like one module.
 *
 * The counter is left topped up between calls: a call costs one exchange of numbers, at its end.
 *
 * How long slices are stands in `slices.ts`. Neither whether a call succeeds nor where it is stopped depends on them.
 *
 * Terms: `granted` is what the guest was given in this call, so `granted` less the counter is what it used, also while
 * the counter is negative (overdrawn); the pool is what it was not given yet. What is set aside for bytes belongs to
 * what is granted: it can be spent as well, and is there only when the pool has it.
 */

import { invariant, type RemoraError } from "../base/index.ts";
import type { CounterName, InjectedExports } from "../wasm/metering/contract.ts";
import { Allowance } from "./allowance.ts";
import { CallTime } from "./call-time.ts";
import type { Budget, Limits } from "./limits.ts";
import { asideUnits, stoppableUnits, unclockedUnits, undatedUnits, unmeasuredSlice } from "./slices.ts";
import { StackLeft } from "./stack-left.ts";
import { type RefillTarget, type Trampoline, trampolineTo, trap } from "./trampoline.ts";
import { type WasmGlobal, type WasmInstance, type WasmTable, webAssembly } from "./webassembly.ts";

/** Why no guest code runs in this instance any more. `trapped` is a trap of the guest's own. */
export type Death = "out-of-fuel" | "deadline" | "aborted" | "trapped" | "closed";

export interface MeterOptions {
  readonly limits: Pick<Limits, "memoryPagesMax" | "tableElementsMax" | "stackSlotsMax"> &
    Partial<Pick<Limits, "waitMsFree">>;
  /** Milliseconds on a monotonic clock. */
  readonly clock?: () => number;
  /** False for modules that count by estimates: their fuel is then without a bound. Default: true. */
  readonly isFuelExact?: boolean;
  /** True for modules that were rewritten to share their counters: only then may there be several. Default: false. */
  readonly sharesCounters?: boolean;
  /** Asked whenever a module wants its next slice: true ends the guest as `close` does. For another thread to set. */
  readonly isStopped?: () => boolean;
  /** Makes every slice this long, whatever the clock says: the outcome of a call must not depend on it. */
  readonly sliceUnits?: number;
}

export class Meter implements RefillTarget {
  /** Set once, and then no guest code of this instance gets past its next check. */
  dead: Death | undefined;
  /** What `abort` was called with. */
  abortedBy: RemoraError | undefined;
  readonly pages: Allowance;
  readonly elements: Allowance;
  readonly stack: StackLeft;
  /** What modules that share their counters are to be given for `counterModule`. */
  readonly counters: Readonly<Record<CounterName, WasmGlobal>> | undefined;

  readonly #time: CallTime;
  readonly #sliceUnits: number | undefined;
  readonly #isStopped: () => boolean;
  readonly #undatedUnits: number;
  readonly #isFuelExact: boolean;
  /** Sets the counter and what is set aside, and gives back what both were; undefined as long as there is no module. */
  #swap: ((units: number, aside: number) => number) | undefined;
  /** What can be set aside for its bytes. */
  #asideMax = 0;
  readonly #tables: WasmTable[] = [];
  #trampoline: Trampoline | undefined;
  /** What the counter has between calls, and what is set aside then. */
  #standing = 0;
  #standingAside = 0;
  /** Both together hold no more than this. */
  #ceiling = 0;
  /** What of it was set aside. */
  #aside = 0;
  /** Nothing but the guest has changed the account since `begin`: it can be used again as it is. */
  #isUntouched = false;

  /** Of the running call, or of the last. */
  budget: Budget = { fuelMax: 0, deadlineMs: 0 };

  #isRunning = false;
  // Fractions to begin with, so that V8 never has to change how it stores these fields.
  /** Calls of functions that are not its modules' own, since the instance was made. */
  hostCalls = 0.5;
  #fuelMax = 0.5;
  #pool = 0.5;
  #granted = 0.5;
  #charged = 0.5;
  #fuelUsed = 0.5;
  #fuelSpent = 0.5;

  constructor(options: MeterOptions) {
    this.hostCalls = 0;
    this.#fuelSpent = 0;
    this.#time = new CallTime(options.clock ?? monotonicMs, options.limits.waitMsFree ?? 0);
    this.#sliceUnits = options.sliceUnits;
    this.#isStopped = options.isStopped ?? never;
    this.#undatedUnits = options.isStopped === undefined ? undatedUnits : stoppableUnits;
    this.#isFuelExact = options.isFuelExact ?? true;
    this.stack = new StackLeft(options.limits.stackSlotsMax);
    this.pages = new Allowance(options.limits.memoryPagesMax);
    this.elements = new Allowance(options.limits.tableElementsMax);
    if (options.sharesCounters !== true) return;
    const counter = (value: number) => new webAssembly.Global({ value: "i32", mutable: true }, value);
    this.counters = {
      fuel: counter(0),
      stack: counter(0),
      pages: counter(0),
      elements: counter(0),
    };
    this.stack.countIn(this.counters.stack);
    this.pages.countIn(this.counters.pages);
    this.elements.countIn(this.counters.elements);
  }

  /**
   * Takes a rewritten module under the budget, right after it was instantiated and before any of its code runs.
   *
   * @param instance           With the injected exports.
   * @param injected           Their names.
   * @param stackSlotsUncounted What its frames need that do not count themselves.
   */
  attach(instance: WasmInstance, injected: InjectedExports, stackSlotsUncounted: number): void {
    invariant(
      this.#swap === undefined || this.counters !== undefined,
      "only shared counters serve two modules",
    );
    const { exports } = instance;
    // The rewriter promises these names and types; see `InjectedExports`.
    const table = exports[injected.refill] as WasmTable;
    this.#trampoline ??= trampolineTo(this);
    table.set(0, this.#trampoline.call);
    this.#tables.push(table);
    if (this.#swap === undefined) {
      this.#swap = exports[injected.swapFuel] as (units: number, aside: number) => number;
      this.#asideMax = this.#swap.length > 1 ? asideUnits : 0;
    }
    if (injected.stack !== undefined) this.stack.countIn(exports[injected.stack] as WasmGlobal);
    if (injected.pages !== undefined) this.pages.countIn(exports[injected.pages] as WasmGlobal);
    if (injected.elements !== undefined) this.elements.countIn(exports[injected.elements] as WasmGlobal);
    this.stack.reserve(stackSlotsUncounted);
    if (this.dead !== undefined) this.#swap(-1, 0);
  }

  /**
   * Opens the account of one call.
   *
   * @param startedMs What the clock says now, where it has just been read: the first slice is then as long as after a look.
   * @throws RangeError the budget, or that time, is negative or not a number
   */
  begin(budget: Budget, startedMs?: number): void {
    const { deadlineMs } = budget;
    const isStarted = startedMs !== undefined;
    // No deadline would ever be over that counts from what is no number.
    if (isStarted && !(startedMs >= 0)) {
      throw new RangeError(`A call begins at a time from 0 ms up, not at ${startedMs}`);
    }
    // Nothing was written since the last call began, and it had the same budget: everything stands as it must.
    if (
      this.#isUntouched &&
      budget.fuelMax === this.#fuelMax &&
      this.#time.isAsBefore(deadlineMs, isStarted)
    ) {
      if (isStarted) this.#time.startAt(startedMs);
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
    const timed = isStarted ? unmeasuredSlice(deadlineMs) : unclockedUnits;
    const unlooked = this.#sliceUnits ?? (isTimed ? timed : this.#undatedUnits);
    const standing = fuelMax < unlooked ? Math.floor(fuelMax) : unlooked;
    const aside = this.#asideOf(fuelMax - standing);
    if (standing + aside !== this.#ceiling || aside !== this.#aside) this.#topUp(standing, aside);
    this.budget = budget;
    this.#fuelMax = fuelMax;
    this.#granted = this.#ceiling;
    this.#pool = fuelMax - this.#granted;
    this.#charged = 0;
    this.#time.begin(deadlineMs, startedMs);
    this.#isUntouched = true;
    this.#isRunning = true;
  }

  /** Closes it. True when the call stayed within its fuel, to the unit, and nothing stopped it. */
  end(): boolean {
    const wasRunning = this.#isRunning;
    this.#isRunning = false;
    if (this.dead !== undefined) {
      this.#fuelUsed = this.#consumed();
      if (wasRunning) this.#fuelSpent += this.#fuelUsed;
      return false;
    }
    const rest = this.#swap === undefined ? 0 : this.#swap(this.#standing, this.#standingAside);
    const used = this.#charged + this.#granted - rest;
    this.#ceiling = this.#standing + this.#standingAside;
    this.#aside = this.#standingAside;
    this.#fuelUsed = used;
    this.#fuelSpent += used;
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

  /** Units used by all calls that are over. */
  get fuelSpent(): number {
    return this.#fuelSpent;
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
    this.#isUntouched = false;
    if (this.#pool < 0) this.#empty();
  }

  /** Starts the clock of this call if it has not yet been looked at. Before anything that may take long. */
  startClock(): void {
    if (this.#time.start()) this.#isUntouched = false;
  }

  /**
   * After anything that may have taken long: hands out a slice for what is left of the time. A guest that is late gets
   * none, and is stopped at its next check; one that returns without a check has still answered.
   */
  lookAtClock(): void {
    if (this.dead !== undefined || !this.#time.isTimed) return;
    const used = this.#empty();
    if (!this.#isRunning || this.#isStopped()) return;
    const timed = this.#time.sliceAfter(used);
    if (timed > 0) this.#grant(this.#sliceUnits ?? timed);
  }

  /** In the middle of something long that the host does for the guest: the trap is raised at once when its time is over. */
  mustBeInTime(): void {
    if (!this.#isRunning) return;
    this.startClock();
    if (this.#isStopped()) this.kill("closed");
    if (this.msLeft <= 0) this.kill("deadline");
    if (this.dead !== undefined) trap();
  }

  /** Milliseconds until the deadline of this call, once its clock was started; Infinity when there is none. */
  get msLeft(): number {
    return this.#time.msLeft;
  }

  /** The same for a guest that does nothing but wait from now on. */
  get waitMsLeft(): number {
    return this.#time.waitMsLeft;
  }

  /** Nothing of the guest's runs, since it waits for the host: with the clock started, from now until `wake`. */
  rest(): void {
    if (this.#time.rest()) this.#isUntouched = false;
  }

  /** Code of the guest's goes on. */
  wake(): void {
    if (this.#time.wake()) this.#isUntouched = false;
  }

  /** The guest waited for so long, which does not count towards its deadline as far as that is free. */
  forgive(waitedMs: number): void {
    if (this.#time.forgive(waitedMs)) this.#isUntouched = false;
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
    this.#empty();
  }

  /** Ends the account of a call in which no guest code ran. */
  cancel(): void {
    this.#isRunning = false;
    this.#isUntouched = false;
  }

  /** Cuts the guests off: from now on their checks trap without asking. */
  close(): void {
    this.kill("closed");
    // Before it is released: a trampoline then serves another guest.
    for (const table of this.#tables) table.set(0, null);
    this.#trampoline?.release();
    this.#trampoline = undefined;
  }

  /** Answers a guest that has spent its slice, or that is about to do a part of something long: 0 to go on. */
  refill(): number {
    const used = this.#empty();
    this.#time.interrupt();
    if (this.#isStopped()) this.kill("closed");
    if (this.dead !== undefined || !this.#isRunning) return 1;
    let slice = this.#sliceUnits ?? this.#undatedUnits;
    if (this.#time.isTimed) {
      const timed = this.#time.sliceAfter(used);
      if (timed === 0) {
        this.kill("deadline");
        return 1;
      }
      slice = this.#sliceUnits ?? timed;
    }
    if (this.#grant(slice)) return 0;
    this.kill("out-of-fuel");
    return 1;
  }

  /** Fills the empty counter, as far as there is fuel; false when there is none. */
  #grant(slice: number): boolean {
    const available = this.#pool - 1;
    if (available < 0) return false;
    const units = Math.floor(Math.min(slice, available));
    const aside = this.#asideOf(available - units);
    this.#pool -= units + aside + 1;
    this.#granted += units + aside + 1;
    this.#ceiling = units + aside;
    this.#aside = aside;
    this.#swap?.(units, aside);
    return true;
  }

  /** What is set aside out of a pool: all or nothing, so that a guest whose fuel runs out is stopped where it would be without. */
  #asideOf(pool: number): number {
    return pool < this.#asideMax ? 0 : this.#asideMax;
  }

  /** Between calls: what the guest may use before it asks. */
  #topUp(standing: number, aside: number): void {
    this.#standing = this.#swap === undefined ? 0 : standing;
    this.#standingAside = aside;
    this.#ceiling = this.#standing + aside;
    this.#aside = aside;
    this.#swap?.(this.#standing, aside);
  }

  /** Makes the counter -1: the rest goes back to the pool. Answers what was used since it was filled. */
  #empty(): number {
    const rest = this.#swap?.(-1, 0) ?? -1;
    const used = this.#ceiling - rest;
    this.#pool += rest + 1;
    this.#granted -= rest + 1;
    this.#ceiling = -1;
    this.#aside = 0;
    this.#isUntouched = false;
    return used;
  }

  #consumed(): number {
    const rest = this.#swap?.(-1, 0) ?? 0;
    // Which of both it was spent from is not known any more: what is left is set aside first, so that the slice is no longer than it was.
    const aside = Math.max(0, Math.min(rest, this.#aside));
    this.#swap?.(rest - aside, aside);
    return this.#charged + this.#granted - rest;
  }
}

function monotonicMs(): number {
  return performance.now();
}

function never(): boolean {
  return false;
}
