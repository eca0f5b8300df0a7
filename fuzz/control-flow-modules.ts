/**
 * Random modules whose control flow is as tangled as validation permits: blocks, loops and arms in one another, left in
 * every way to any label, with dead code behind; calls of functions that are small, that throw, that call back; long
 * straight parts between. Each turn of a loop and each call takes one off a number, and when that is gone everything returns.
 * A tool that makes modules from noise hardly ever makes loops that are left in three ways.
 */

import { ByteWriter } from "remora/wasm";
import { Random, range } from "./chance.ts";
import { BodyMaker, type ControlFlowOptions, firstRandom, globals, types } from "./control-flow-bodies.ts";
import { i32, leb, op, signed } from "./operator-bytes.ts";

/** What the module of a seed has. */
export function controlFlowOptions(seed: number): ControlFlowOptions {
  const exceptions = seed % 2 === 0 ? "newer" : seed % 4 === 1 ? "older" : "none";
  return { exceptions, isLong: seed % 3 === 0 };
}

/** Turns and calls that all functions together may make. */
const turnsMax = 3_000;

/** The module of this seed. It exports `run`, which takes and gives a number, and a memory. */
export function controlFlowModule(seed: number): Uint8Array {
  const options = controlFlowOptions(seed);
  const random = new Random(seed);
  const functions = 2 + random.below(5);
  const out = new ByteWriter();
  out.raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const vector = (id: number, items: readonly (readonly number[])[]) =>
    section(out, id, [...leb(items.length), ...items.flat()]);
  vector(1, [
    [0x60, 1, i32, 1, i32],
    [0x60, 0, 0],
    [0x60, 1, i32, 0],
  ]);
  vector(2, [[...name("host"), ...name("note"), 0, types.note]]);
  vector(
    3,
    Array.from({ length: functions + 1 }, () => [types.func]),
  );
  // Every other one: the others are called by those alone that the rewriter knows.
  const elements = range(functions).filter((at) => at % 2 === 0);
  vector(4, [[0x70, 0, elements.length]]);
  vector(5, [[0, 1]]);
  const thrown = { none: [], newer: [types.nothing], older: [types.nothing, types.note] }[options.exceptions];
  if (thrown.length > 0)
    vector(
      13,
      thrown.map((type) => [0, type]),
    );
  vector(6, [counter(0), counter(seed & 0x7fff)]);
  vector(7, [
    [...name("run"), 0, 1],
    [...name("memory"), 2, 0],
  ]);
  vector(9, [
    [
      ...[0, op.i32Const, 0, op.end],
      ...[...leb(elements.length), ...elements.flatMap((at) => leb(firstRandom + at))],
    ],
  ]);
  const bodies = [
    runBody(),
    ...range(functions).map((at) => new BodyMaker(random, options, functions).body(at)),
  ];
  vector(
    10,
    bodies.map((body) => [...leb(body.length), ...body]),
  );
  return out.finish();
}

function counter(value: number): number[] {
  return [i32, 1, op.i32Const, ...signed(value), op.end];
}

/** Starts the count of turns anew and calls the first of the random functions. */
function runBody(): number[] {
  return [
    0,
    ...[op.i32Const, ...signed(turnsMax), op.globalSet, globals.left],
    ...[op.localGet, 0, op.call, firstRandom, op.end],
  ];
}

function section(out: ByteWriter, id: number, content: readonly number[]): void {
  out.byte(id).sized(Uint8Array.from(content));
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}
