/**
 * The code that pays for many turns of a counted loop at once (metering specification 4.6). It leaves in a
 * local the bound up to which the loop may then run without counting.
 */

import type { CodeBuffer } from "./code-buffer.ts";
import type { CountedLoop } from "./counted-loop.ts";
import { op } from "./emitted.ts";

export interface Turns {
  readonly loop: CountedLoop;
  /** Units of one turn. */
  readonly fuel: number;
  /** Index of the local that has the counter. */
  readonly counter: number;
  /** Indices of two locals for what is computed here; the second has the bound in the end. */
  readonly turns: number;
  readonly bound: number;
}

/** What all turns of a loop together may cost at most, so that their product is a number of 32 bits. */
const allTurnsFuelMax = 2 ** 30;

/** The counter is not negative here: it was checked just before. */
export function writeTakeTurns(out: CodeBuffer, turns: Turns): void {
  const { loop, fuel } = turns;
  distance(out, loop);
  if (loop.shift > 0) {
    // A distance that the step does not divide, so that the loop never ends, becomes huge by this.
    out.constant(loop.shift);
    out.byte(op.i32Rotr);
  }
  out.indexed(op.localTee, turns.turns);
  // Less one and unsigned: a distance of zero means all the way around, which is too many.
  out.constant(1);
  out.byte(op.i32Sub);
  out.constant(Math.floor(allTurnsFuelMax / fuel));
  out.byte(op.i32LtU);
  out.indexed(op.localGet, turns.turns);
  out.constant(fuel);
  out.byte(op.i32Mul);
  out.indexed(op.localTee, turns.bound);
  out.indexed(op.localGet, turns.counter);
  out.byte(op.i32LeS);
  out.byte(op.i32And);
  out.byte(op.if);
  out.byte(op.empty);
  takeAll(out, turns);
  out.byte(op.else);
  takeSome(out, turns);
  out.byte(op.end);
}

/** Leaves what is not zero when turns are left. */
export function writeTurnsLeft(out: CodeBuffer, loop: CountedLoop): void {
  out.indexed(op.localGet, loop.counter);
  if (isZero(loop.bound)) return;
  pushBound(out, loop);
  out.byte(op.i32Ne);
}

/** The slice pays for all of them; what they cost is in the local that then gets the bound. */
function takeAll(out: CodeBuffer, { loop, counter, bound }: Turns): void {
  out.indexed(op.localGet, counter);
  out.indexed(op.localGet, bound);
  out.byte(op.i32Sub);
  out.indexed(op.localSet, counter);
  pushBound(out, loop);
  out.indexed(op.localSet, bound);
}

/** As many as the slice pays for, the last of which may overdraw it. */
function takeSome(out: CodeBuffer, { loop, fuel, counter, turns, bound }: Turns): void {
  out.indexed(op.localGet, turns);
  out.constant(1);
  out.byte(op.i32Sub);
  out.indexed(op.localTee, turns);
  out.indexed(op.localGet, counter);
  out.constant(fuel);
  out.byte(op.i32DivU);
  out.indexed(op.localTee, bound);
  out.indexed(op.localGet, turns);
  out.indexed(op.localGet, bound);
  out.byte(op.i32LtU);
  out.byte(op.select);
  out.constant(1);
  out.byte(op.i32Add);
  out.indexed(op.localSet, turns);
  out.indexed(op.localGet, counter);
  out.indexed(op.localGet, turns);
  out.constant(fuel);
  out.byte(op.i32Mul);
  out.byte(op.i32Sub);
  out.indexed(op.localSet, counter);
  out.indexed(op.localGet, loop.counter);
  out.indexed(op.localGet, turns);
  if (loop.shift > 0) {
    out.constant(loop.shift);
    out.byte(op.i32Shl);
  }
  out.byte(loop.isUp ? op.i32Add : op.i32Sub);
  out.indexed(op.localSet, bound);
}

/** From the counter to its bound, in the direction of the step. */
function distance(out: CodeBuffer, loop: CountedLoop): void {
  if (loop.isUp) pushBound(out, loop);
  out.indexed(op.localGet, loop.counter);
  if (!loop.isUp && isZero(loop.bound)) return;
  if (!loop.isUp) pushBound(out, loop);
  out.byte(op.i32Sub);
}

function pushBound(out: CodeBuffer, { bound }: CountedLoop): void {
  if ("local" in bound) out.indexed(op.localGet, bound.local);
  else out.constant(bound.constant);
}

function isZero(bound: CountedLoop["bound"]): boolean {
  return "constant" in bound && bound.constant === 0;
}
