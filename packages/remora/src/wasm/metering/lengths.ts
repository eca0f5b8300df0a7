/** Operators whose cost depends on a length (metering specification 4.9): charged at once when it is a small constant. */

import type { ControlFlow, FlowInput } from "./control-flow.ts";
import { BodyTrait, Event, type Facts } from "./facts.ts";
import {
  arrayFill,
  arrayNew,
  arrayNewDefault,
  memoryCopy,
  memoryFill,
  memoryInit,
  readIndex,
  skipNumber,
  tableCopy,
  tableFill,
  tableGrow,
  tableInit,
} from "./skip.ts";

/** A constant length up to this is charged with its operator, which then stays as it is. */
const constantLengthMax = 4_096;

const i32Const = 0x41;
const i64Const = 0x42;

export class Lengths {
  /** Bits of `BodyTrait`: whether a body has lengths that are known only when it runs. */
  traits = 0;
  /** Where the operator before starts and ends: the length, when it is a constant. */
  private before = -1;
  private beforeEnd = -1;
  private readonly input: FlowInput;
  private readonly bytes: Uint8Array;
  private readonly facts: Facts;
  private readonly flow: ControlFlow;

  constructor(input: FlowInput, facts: Facts, flow: ControlFlow) {
    this.input = input;
    this.bytes = input.bytes;
    this.facts = facts;
    this.flow = flow;
  }

  reset(): void {
    this.traits = 0;
    this.beforeEnd = -1;
  }

  noteOperator(start: number, end: number): void {
    this.before = start;
    this.beforeEnd = end;
  }

  /** `memory.fill`, `.copy`, `.init` and those of tables; returns the offset behind the immediates at `p`. */
  bulk(at: number, p: number, op: number): number {
    const { flow } = this;
    const first = readIndex(this.bytes, p);
    let next = skipNumber(this.bytes, p);
    let second = 0;
    if (op === memoryCopy || op === tableCopy || op === memoryInit || op === tableInit) {
      second = readIndex(this.bytes, next);
      next = skipNumber(this.bytes, next);
    }
    const tables = this.input.spaces.tables.length;
    if (op === tableCopy || op === tableFill) flow.check(at, "table", first, tables);
    if (op === tableCopy || op === tableFill || op === tableInit) flow.check(at, "table", second, tables);
    if (flow.region < 0) return next;
    const length = this.constantAt(at);
    if (length < 0) this.replaced(at, next, this.input.helper(op, first, second));
    else {
      const isMemory = op === memoryCopy || op === memoryFill || op === memoryInit;
      this.chargeConstant(length, isMemory ? length >> 4 : length);
    }
    return next;
  }

  grow(at: number, p: number, op: number): number {
    const index = readIndex(this.bytes, p);
    const next = skipNumber(this.bytes, p);
    if (op === tableGrow) this.flow.check(at, "table", index, this.input.spaces.tables.length);
    if (this.flow.region >= 0) this.replaced(at, next, this.input.helper(op, index, 0));
    return next;
  }

  private replaced(at: number, next: number, helper: number): void {
    this.traits = BodyTrait.hasDynamic;
    this.flow.markLoops();
    this.flow.noteEvent(Event.replaced, at, helper, next);
  }

  /** Operators on arrays: they stay, and the length on top of the stack is charged before. */
  array(at: number, p: number, op: number): number {
    let next = skipNumber(this.bytes, p);
    if (op !== arrayNew && op !== arrayNewDefault && op !== arrayFill) next = skipNumber(this.bytes, next);
    if (this.flow.region < 0) return next;
    const length = this.constantAt(at);
    if (length >= 0) {
      this.chargeConstant(length, length);
      return next;
    }
    this.traits = BodyTrait.hasDynamic;
    this.flow.markLoops();
    this.flow.noteEvent(Event.length, at, 0, next);
    return next;
  }

  /** The constant that the operator before `at` pushes, when it is small; otherwise -1. */
  private constantAt(at: number): number {
    const opcode = this.bytes[this.before];
    if (this.beforeEnd !== at || (opcode !== i32Const && opcode !== i64Const)) return -1;
    const value = this.smallConstant(this.before + 1);
    return value <= constantLengthMax ? value : -1;
  }

  /** A constant of one to three bytes that is not negative; otherwise -1. */
  private smallConstant(p: number): number {
    const { bytes } = this;
    const first = bytes[p] as number;
    if (first < 0x80) return first < 0x40 ? first : -1;
    const second = bytes[p + 1] as number;
    if (second < 0x80) return second < 0x40 ? (first & 0x7f) | (second << 7) : -1;
    const third = bytes[p + 2] as number;
    return third < 0x40 ? (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14) : -1;
  }

  /** It takes as long as so many `operators`: sixteen bytes or one element as one of them. */
  private chargeConstant(length: number, operators: number): void {
    this.facts.regionFuel.add(this.flow.region, length);
    this.flow.fuel += length;
    this.flow.sinceCheck += operators;
  }
}
