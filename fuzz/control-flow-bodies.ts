/**
 * The bodies of `control-flow-modules.ts`: statements in one another, by chance, each of which leaves the operand stack as it
 * found it.
 */

import { type Random, range } from "./chance.ts";
import { i32, leb, op, signed } from "./operator-bytes.ts";

export interface ControlFlowOptions {
  /** The older ones are `try` with `catch` and `delegate`; V8 takes no module that has both. */
  readonly exceptions: "none" | "older" | "newer";
  /** No loops, and long straight parts: what comes between two checks is then decided by what is branched around. */
  readonly isLong: boolean;
}

const empty = 0x40;

/** Types: the functions', of nothing, and of what the import takes. */
export const types = { func: 0, nothing: 1, note: 2 } as const;
/** What is thrown: nothing, and in modules with older exceptions also a number. */
export const tags = { nothing: 0, number: 1 } as const;
export const globals = { left: 0, random: 1 } as const;
/** Of the functions: the import, `run`, and then the random ones. */
const noteFunction = 0;
export const firstRandom = 2;

const depthMax = 7;
/** Of a long module: larger ones are not faster found fault with. */
const longBytesMax = 30_000;

interface Label {
  /** A branch to it carries a number. */
  readonly hasValue: boolean;
  /** Behind a `catch` of the older kind: what was caught can be thrown again. */
  readonly isHandler?: boolean;
}

/** Locals: the parameter, a number that everything goes into, the counter of counted loops. */
const local = { parameter: 0, sum: 1, turns: 2 } as const;

export class BodyMaker {
  readonly #random: Random;
  readonly #options: ControlFlowOptions;
  readonly #functions: number;
  readonly #code: number[] = [];
  readonly #labels: Label[] = [];
  /** A function without handlers keeps its counter in a local. */
  readonly #hasHandlers: boolean;

  constructor(random: Random, options: ControlFlowOptions, functions: number) {
    this.#random = random;
    this.#options = options;
    this.#functions = functions;
    this.#hasHandlers = options.exceptions !== "none" && random.below(2) === 0;
  }

  body(index: number): number[] {
    const code = this.#code;
    code.push(1, 2, i32);
    // Small ones may be paid for by their callers, those among them that do nothing but throw must not.
    if (this.#options.exceptions !== "none" && index === 1) {
      code.push(op.throw, 0, op.end);
      return code;
    }
    const isSmall = index > 0 && this.#random.below(3) === 0;
    if (isSmall) this.#plain(1 + this.#random.below(4));
    else {
      this.#turn(() => code.push(op.localGet, local.sum, op.return));
      this.#labels.push({ hasValue: true });
      this.#statements(0);
      this.#labels.pop();
    }
    code.push(op.localGet, local.sum, op.end);
    return code;
  }

  /** Takes one off what is left; when nothing is, `leave`. */
  #turn(leave: () => void): void {
    this.#code.push(op.globalGet, globals.left, op.eqz, op.if, empty);
    leave();
    this.#code.push(op.end);
    this.#code.push(op.globalGet, globals.left, op.i32Const, 1, op.sub, op.globalSet, globals.left);
  }

  #statements(depth: number): void {
    const most = this.#options.isLong ? 12 : depth === 0 ? 8 : 4;
    const count = 1 + this.#random.below(most);
    for (let at = 0; at < count; at++) this.#statement(depth);
  }

  #statement(depth: number): void {
    const random = this.#random;
    const { isLong } = this.#options;
    const isDeep = depth >= (isLong ? 3 : depthMax) || this.#code.length > longBytesMax;
    switch (random.below(isDeep ? 9 : 18)) {
      case 0:
        this.#plain(1 + random.below(isLong ? 60 : 6));
        return;
      case 1:
        this.#branchIf();
        return;
      case 2:
        this.#leaveForGood(depth);
        return;
      case 3:
      case 4:
        this.#call();
        return;
      case 5:
        this.#bulk();
        return;
      case 6:
        if (isLong) this.#plain(random.below(60));
        else this.#countedLoop();
        return;
      case 7:
        this.#code.push(op.localGet, local.sum, op.call, noteFunction);
        return;
      case 8:
        this.#code.push(op.i32Const, 0, op.if, empty, op.unreachable, op.end);
        return;
      case 9:
      case 10:
      case 11:
        this.#block(depth);
        return;
      case 12:
      case 13:
        if (isLong) this.#if(depth);
        else this.#loop(depth);
        return;
      case 14:
      case 15:
        this.#if(depth);
        return;
      default:
        if (!this.#hasHandlers) this.#block(depth);
        else if (this.#options.exceptions === "older") this.#try(depth);
        else this.#tryTable(depth);
    }
  }

  /** Goes into the sum, and into memory now and then. */
  #plain(count: number): void {
    const { below } = this.#random;
    for (let at = 0; at < count; at++) {
      this.#code.push(
        op.localGet,
        local.sum,
        op.i32Const,
        ...signed(below(1_000)),
        op.add,
        op.localSet,
        local.sum,
      );
    }
    if (below(3) > 0) return;
    this.#code.push(op.i32Const, ...signed(4 * below(64)), op.localGet, local.sum, op.store, 2, 0);
  }

  /** A bit that looks like chance, other than the last time. */
  #condition(): void {
    const { below } = this.#random;
    this.#code.push(
      ...[op.globalGet, globals.random, op.i32Const, ...signed(1_664_525), op.mul],
      ...[op.i32Const, ...signed(1_013_904_223 + 2 * below(1_000)), op.add, op.globalSet, globals.random],
      ...[op.globalGet, globals.random, op.i32Const, 16 + below(12), op.shrU, op.i32Const, 1, op.and],
    );
  }

  #open(code: number, type: number, label: Label): void {
    this.#code.push(code, type);
    this.#labels.push(label);
  }

  #close(): void {
    this.#labels.pop();
    this.#code.push(op.end);
  }

  #block(depth: number): void {
    const hasValue = this.#random.below(3) === 0;
    this.#open(op.block, hasValue ? i32 : empty, { hasValue });
    this.#statements(depth + 1);
    if (hasValue) this.#code.push(op.localGet, local.sum);
    this.#close();
    if (hasValue) this.#code.push(op.localSet, local.sum);
  }

  /** With a value it takes one as well: a branch to its beginning carries it. */
  #loop(depth: number): void {
    const code = this.#code;
    const hasValue = this.#random.below(3) === 0;
    code.push(op.block, empty);
    this.#labels.push({ hasValue: false });
    if (hasValue) code.push(op.localGet, local.sum);
    this.#open(op.loop, hasValue ? types.func : empty, { hasValue });
    if (hasValue) code.push(op.localSet, local.sum);
    // Inside of the `if` around it one label more.
    this.#turn(() => code.push(op.br, 2));
    this.#statements(depth + 1);
    if (this.#random.below(2) === 0) {
      if (hasValue) code.push(op.localGet, local.sum);
      code.push(op.br, 0);
    } else if (hasValue) code.push(op.localGet, local.sum);
    this.#close();
    if (hasValue) code.push(op.localSet, local.sum);
    this.#close();
  }

  #if(depth: number): void {
    this.#condition();
    this.#open(op.if, empty, { hasValue: false });
    this.#statements(depth + 1);
    if (this.#random.below(2) === 0) {
      this.#code.push(op.else);
      this.#statements(depth + 1);
    }
    this.#close();
  }

  /** What is thrown in it goes to a label without a value. */
  #tryTable(depth: number): void {
    const target = this.#labelWith(false);
    if (target === undefined) {
      this.#block(depth);
      return;
    }
    this.#code.push(op.tryTable, empty, 1, ...(this.#random.below(2) === 0 ? [0, 0] : [2]), ...leb(target));
    this.#labels.push({ hasValue: false });
    this.#statements(depth + 1);
    this.#close();
  }

  /** Of the older kind: what is thrown in it goes to handlers behind it, or to those of an outer frame. */
  #try(depth: number): void {
    const { below } = this.#random;
    const code = this.#code;
    const hasValue = below(3) === 0;
    const part = (handler?: readonly number[], isHandler = true) => {
      if (handler !== undefined) code.push(...handler);
      this.#labels.push({ hasValue, isHandler });
      if (handler?.[1] === tags.number) code.push(op.localSet, local.sum);
      this.#statements(depth + 1);
      if (hasValue) code.push(op.localGet, local.sum);
      this.#labels.pop();
    };
    code.push(op.try, hasValue ? i32 : empty);
    part(undefined, false);
    // Its own label does not count; the last is the function's, which hands on to the caller.
    if (below(4) === 0) code.push(op.delegate, ...leb(below(this.#labels.length)));
    else {
      for (let count = below(3); count > 0; count--) part([op.catch, below(2)]);
      if (below(2) === 0) part([op.catchAll]);
      code.push(op.end);
    }
    if (hasValue) code.push(op.localSet, local.sum);
  }

  #labelWith(hasValue: boolean): number | undefined {
    const fitting = range(this.#labels.length).filter(
      (label) => this.#labels.at(-1 - label)?.hasValue === hasValue,
    );
    return fitting[this.#random.below(fitting.length)];
  }

  #branchIf(): void {
    const label = this.#random.below(this.#labels.length);
    const hasValue = this.#labels.at(-1 - label)?.hasValue === true;
    if (hasValue) this.#code.push(op.localGet, local.sum);
    this.#condition();
    this.#code.push(op.brIf, ...leb(label));
    if (hasValue) this.#code.push(op.localSet, local.sum);
  }

  /** Mostly in an arm of its own, so that what follows is not dead. */
  #leaveForGood(depth: number): void {
    const random = this.#random;
    const isInArm = random.below(4) > 0;
    if (isInArm) {
      this.#condition();
      this.#open(op.if, empty, { hasValue: false });
      if (random.below(2) === 0) this.#plain(1);
    }
    this.#leave();
    if (random.below(4) === 0 && depth < depthMax) this.#statement(depth + 1);
    if (isInArm) this.#close();
  }

  #leave(): void {
    const random = this.#random;
    const code = this.#code;
    const hasValue = random.below(2) === 0;
    const label = this.#labelWith(hasValue);
    switch (random.below(this.#options.exceptions === "none" ? 5 : 6)) {
      case 0:
        code.push(op.localGet, local.sum, op.return);
        return;
      case 1:
        code.push(op.localGet, local.sum, op.returnCall, ...leb(firstRandom + random.below(this.#functions)));
        return;
      case 5:
        this.#throw();
        return;
      case 2: {
        if (label === undefined) return;
        const labels = range(1 + random.below(4)).map(() => this.#labelWith(hasValue) ?? label);
        if (hasValue) code.push(op.localGet, local.sum);
        this.#condition();
        code.push(op.brTable, ...leb(labels.length), ...labels.flatMap(leb), ...leb(label));
        return;
      }
      default:
        if (label === undefined) return;
        if (hasValue) code.push(op.localGet, local.sum);
        code.push(op.br, ...leb(label));
    }
  }

  #throw(): void {
    const { below } = this.#random;
    const code = this.#code;
    const handlers = range(this.#labels.length).filter((label) => this.#labels.at(-1 - label)?.isHandler);
    const caught = handlers[handlers.length < 1 ? 0 : below(handlers.length)];
    if (caught !== undefined && below(2) === 0) code.push(op.rethrow, ...leb(caught));
    else if (this.#options.exceptions === "older" && below(2) === 0)
      code.push(op.localGet, local.sum, op.throw, tags.number);
    else code.push(op.throw, tags.nothing);
  }

  #call(): void {
    const random = this.#random;
    const callee = random.below(this.#functions);
    this.#code.push(op.localGet, local.sum);
    if (random.below(5) === 0)
      this.#code.push(op.i32Const, ...signed(callee >> 1), op.callIndirect, types.func, 0);
    else this.#code.push(op.call, ...leb(firstRandom + callee));
    this.#code.push(op.localGet, local.sum, op.add, op.localSet, local.sum);
  }

  /** `memory.fill` or `.copy`, with a length that is known or not. */
  #bulk(): void {
    const { below } = this.#random;
    const code = this.#code;
    code.push(op.i32Const, ...signed(below(2_000)), op.i32Const, ...signed(below(200)));
    if (below(2) === 0) code.push(op.i32Const, ...signed(below(300)));
    else code.push(op.localGet, local.sum, op.i32Const, ...signed(255), op.and);
    if (below(2) === 0) code.push(0xfc, 0x0b, 0);
    else code.push(0xfc, 0x0a, 0, 0);
  }

  /** As compilers write them: the number of turns is known at the entry. */
  #countedLoop(): void {
    const random = this.#random;
    const code = this.#code;
    const step = 1 << random.below(3);
    code.push(
      op.i32Const,
      ...signed(step * (1 + random.below(50))),
      op.localSet,
      local.turns,
      op.loop,
      empty,
    );
    this.#plainUnder(1 + random.below(3));
    code.push(op.localGet, local.turns, op.i32Const, ...signed(-step), op.add, op.localTee, local.turns);
    code.push(op.brIf, 0, op.end);
  }

  #plainUnder(count: number): void {
    for (let at = 0; at < count; at++) {
      this.#code.push(op.localGet, local.sum, op.localGet, local.turns, op.xor, op.localSet, local.sum);
    }
  }
}
