/**
 * What lifting and lowering need to know about one side of a call: its memory, its allocator, its string
 * encoding, and the component instance whose handles it uses (CanonicalABI.md, "Lifting and Lowering Context").
 */

import type { CoreEngine, CoreFunction, CoreMemory } from "../core.ts";
import type { StringEncoding } from "../model.ts";
import type { AsyncValues } from "./codec-async.ts";
import type { BorrowScope, Handle, HandleTable, Rep } from "./handles.ts";
import { routineStringsMax } from "./routine-module.ts";
import { Routines } from "./routines.ts";
import { trap } from "./trap.ts";

/** One component instance while it runs. */
export interface ComponentState {
  /** Its number within the prepared component. */
  readonly index: number;
  readonly handles: HandleTable;
  /** False while the guest runs code that may not call out: realloc, post-return. */
  mayLeave: boolean;
  /** False while a call into the instance, or into one that contains it, is in progress. */
  mayEnter: boolean;
  /** Borrowed handles that the call in progress was given and has not dropped. */
  borrows: number;
  /** Handles lent by calls out of this instance, innermost call last. */
  readonly lent: Handle[];
  /** What the guest keeps with the call in progress: `context.get` and `context.set`. */
  readonly slots: (number | bigint)[];
  /** How often the instance asked for no more asynchronous calls. */
  backpressure: number;
  /** The call that arguments are being lowered for; only where calls may overlap. */
  scope: BorrowScope | undefined;
  /** Where handles are collected that a call lends to the host; only where that call may outlast its lifting. */
  lending: Handle[] | undefined;
}

/** The state of a component instance that nothing has been called of. */
export function freshState(index: number, handles: HandleTable): ComponentState {
  return {
    index,
    handles,
    mayLeave: true,
    mayEnter: true,
    borrows: 0,
    lent: [],
    slots: [],
    backpressure: 0,
    scope: undefined,
    lending: undefined,
  };
}

/** What a codec asks of the running component beyond memory: the objects that stand for guest resources. */
export interface ResourceHost {
  /** The object for a resource that the guest implements and now gives to the host. */
  wrap(resource: number, rep: Rep, isOwn: boolean): object;
  /** The guest's number for an object, or undefined when it is not a live object of this resource. */
  unwrap(resource: number, value: unknown): Rep | undefined;
  /** As `unwrap`, and the object may not be used again. */
  take(resource: number, value: unknown): Rep | undefined;
  /** Whether a value may stand for a resource that the host implements. */
  accepts(resource: number, value: unknown): boolean;
}

export interface ContextOptions {
  readonly engine: CoreEngine;
  readonly state: ComponentState;
  readonly resources: ResourceHost;
  readonly memory: CoreMemory | undefined;
  readonly realloc: CoreFunction | undefined;
  readonly encoding: StringEncoding;
  /** What the values that one call hands over may cost: see `held.ts`. */
  readonly liftBytesMax: number;
  /** Of components that have streams, futures or error contexts. */
  readonly asyncValues?: AsyncValues | undefined;
}

/** Lifting so many bytes takes some microseconds, in which the guest's own code would have run thousands of instructions. */
const muchBytes = 4_096;

/** What is lifted between two looks at the clock: some tenths of a millisecond. */
const lookBytes = 64 * 1024;

/** A context does not hold on to more kept values than this from one call to the next. */
const keptMax = 10_000;

const noBytes = new Uint8Array(0);
const noView = new DataView(noBytes.buffer);
const noValues: unknown[] = [];
const noNumbers = new Float64Array(0);
const noUnits = new Uint16Array(noBytes.buffer);

export class Context {
  readonly engine: CoreEngine;
  readonly state: ComponentState;
  readonly resources: ResourceHost;
  readonly encoding: StringEncoding;
  readonly asyncValues: AsyncValues | undefined;
  /** Views of the memory. They are detached when it grows: see `refreshIfDetached`. */
  bytes: Uint8Array = noBytes;
  view: DataView = noView;
  /** By UTF-16 code unit, at half the address. */
  units: Uint16Array = noUnits;
  /** Values of records that were checked, to be stored in the same order; see `codec-record.ts`. */
  kept: unknown[] = noValues;
  /** Those of them that are numbers, at the same places. */
  numbers = noNumbers;
  keptNext = 0;
  /** How many times values were checked, by which a check notices that another one came between. */
  checks = 0;
  /** For strings of records; see `string-run.ts`. */
  readonly routines: Routines;
  /** The second value of what is lowered to two: a string's or list's length, behind its pointer. */
  length = 0;
  readonly memory: CoreMemory | undefined;
  readonly realloc: CoreFunction;
  readonly #liftBytesMax: number;
  #liftBytesLeft = 0;
  #bytesToLook = lookBytes;
  #keptEnd = 0;

  constructor(options: ContextOptions) {
    this.engine = options.engine;
    this.state = options.state;
    this.resources = options.resources;
    this.encoding = options.encoding;
    this.asyncValues = options.asyncValues;
    this.memory = options.memory;
    this.realloc = options.realloc ?? noRealloc;
    this.#liftBytesMax = options.liftBytesMax;
    this.#liftBytesLeft = options.liftBytesMax;
    const { memory, realloc } = options;
    const guest = memory === undefined || realloc === undefined ? undefined : { memory, realloc };
    this.routines = new Routines(this, guest);
  }

  /** To be called before a value is checked that is to be lowered: values kept for the last one are forgotten. */
  beginCheck(): void {
    this.checks++;
    this.keptNext = 0;
    if (this.numbers.length <= keptMax) return;
    this.kept = noValues;
    this.numbers = noNumbers;
  }

  /**
   * Makes room for the values of a record that is being checked; gives the place of the first. Behind the last there are
   * places to be read, since a routine is given as many values as it may take.
   */
  reserveKept(count: number): number {
    const first = this.keptNext;
    const end = first + count;
    this.keptNext = end;
    if (end + routineStringsMax > this.numbers.length) this.#growKept(end);
    return first;
  }

  /** Both have the same length, filled from the start: V8 stores faster into what it need not lengthen. */
  #growKept(end: number): void {
    const length = Math.max(2 * this.numbers.length, end + routineStringsMax);
    this.kept = this.kept.concat(new Array(length - this.kept.length).fill(undefined));
    const numbers = new Float64Array(length);
    numbers.set(this.numbers);
    this.numbers = numbers;
  }

  /** To be called between the checks of values and their lowering. */
  beginLower(): void {
    this.#keptEnd = this.keptNext;
    this.keptNext = 0;
  }

  /** The place of the first of so many values that were kept, each to be taken once. */
  takeKept(count: number): number {
    const first = this.keptNext;
    this.keptNext = first + count;
    // A list that has grown since it was checked: what would be stored for it was kept for another call.
    if (this.keptNext > this.#keptEnd) throw new RangeError("A value has changed since it was checked");
    return first;
  }

  /** To be called after guest code ran and before memory is written: growing detaches the views. */
  refreshIfDetached(): void {
    if (this.bytes.length === 0) this.#refresh();
  }

  /**
   * To be called before what a guest hands over is lifted: a result, or the arguments of a call out of it.
   *
   * @param heldBytes What it handed over before and the host still has.
   */
  beginLift(heldBytes = 0): void {
    this.#liftBytesLeft = this.#liftBytesMax - heldBytes;
    if (this.bytes.length === 0) this.#refresh();
  }

  /**
   * Takes bytes off what the guest may hand over in this call. Its lists may share memory: a thousand lists that
   * are all the same megabyte are one megabyte for the guest, and a gigabyte for the host.
   *
   * @param bytes What it costs the host: see `held.ts`.
   */
  spendLift(bytes: number): void {
    this.#liftBytesLeft -= bytes;
    if (this.#liftBytesLeft < 0) trap(`more than ${this.#liftBytesMax} bytes handed over in one call`);
  }

  /** What was spent since `beginLift`, and what was held then. */
  get liftedBytes(): number {
    return this.#liftBytesMax - this.#liftBytesLeft;
  }

  /**
   * To be called before a part of something long is lifted or lowered: a guest whose time is over is ended, since its own
   * code, which would notice, does not run meanwhile.
   */
  pace(bytes: number): void {
    this.#bytesToLook -= bytes;
    if (this.#bytesToLook >= 0) return;
    this.#bytesToLook = lookBytes;
    this.engine.mustBeInTime?.();
  }

  /** As `spendLift` of all that is handed over, where the specification has no bound for it. */
  noteCopied(bytes: number): void {
    this.#liftBytesLeft = this.#liftBytesMax - bytes;
  }

  /**
   * To be called when a call out of the guest is done: what was lifted for it may have taken long, in a few of the guest's
   * instructions. A guest that hands over megabytes in a loop would run for minutes before its slice is spent.
   *
   * @param isLarge Whether its types are large whatever is handed over.
   */
  lookAtClock(isLarge: boolean): void {
    if (!isLarge && this.liftedBytes <= muchBytes) return;
    this.engine.beforeSlowHost?.();
    this.engine.afterSlowHost?.();
  }

  #refresh(): void {
    if (this.memory === undefined) return;
    const buffer = this.memory.buffer;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.units = new Uint16Array(buffer);
  }

  /**
   * Room in the guest's memory, from the guest's allocator: what it gives back is checked. The caller has set
   * `state.mayLeave` to false, since an allocator may not call out.
   */
  allocate(align: number, size: number): number {
    const pointer = this.realloc(0, 0, align, size) >>> 0;
    if (this.bytes.length === 0) this.#refresh();
    if ((pointer & (align - 1)) !== 0 || pointer + size > this.bytes.length) badPointer(pointer, align, size);
    return pointer;
  }

  reallocate(oldPointer: number, oldSize: number, align: number, size: number): number {
    return this.allocated(this.realloc(oldPointer, oldSize, align, size) >>> 0, align, size);
  }

  /** What an allocator gave, checked. */
  protected allocated(pointer: number, align: number, size: number): number {
    if (this.bytes.length === 0) this.#refresh();
    if ((pointer & (align - 1)) !== 0 || pointer + size > this.bytes.length) badPointer(pointer, align, size);
    return pointer;
  }

  /** Ends the call, since the allocator gave a pointer that it may not give. */
  refusePointer(pointer: number, align: number, size: number): never {
    return badPointer(pointer, align, size);
  }

  /** Checks a range that the guest named. */
  checkRange(pointer: number, align: number, size: number): void {
    if ((pointer & (align - 1)) !== 0) trap(`pointer ${pointer} is not aligned to ${align}`);
    if (pointer + size > this.bytes.length) trap(`${size} bytes at ${pointer} are out of bounds`);
  }
}

function noRealloc(): never {
  return trap("there is no realloc");
}

function badPointer(pointer: number, align: number, size: number): never {
  if ((pointer & (align - 1)) !== 0)
    return trap(`realloc gave pointer ${pointer}, which is not aligned to ${align}`);
  return trap(`realloc gave pointer ${pointer} for ${size} bytes, which is out of bounds`);
}
