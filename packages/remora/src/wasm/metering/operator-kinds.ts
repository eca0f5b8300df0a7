/** The operator table once more, as flat arrays for the analyser's inner loop: what to skip, what it costs. */

import { type ImmediateName, operatorIndexes, operatorSpace, operators } from "../opcodes.ts";

/** What the analyser does with an operator: skip immediates, or something of its own. */
export const Kind = {
  unknown: 0,
  plain: 1,
  index: 2,
  twoIndices: 3,
  memarg: 4,
  memargLane: 5,
  i32: 6,
  i64: 7,
  bytes1: 8,
  bytes4: 9,
  bytes8: 10,
  bytes16: 11,
  select: 12,
  block: 13,
  loop: 14,
  if: 15,
  else: 16,
  end: 17,
  br: 18,
  branchOn: 19,
  castLabel: 20,
  brTable: 21,
  return: 22,
  unreachable: 23,
  call: 24,
  callIndirect: 25,
  callRef: 26,
  returnCall: 27,
  returnCallIndirect: 28,
  returnCallRef: 29,
  throw: 30,
  throwRef: 31,
  rethrow: 32,
  try: 33,
  tryTable: 34,
  catch: 35,
  catchAll: 36,
  delegate: 37,
  bulk: 38,
  length: 39,
  grow: 40,
  refFunc: 41,
  structNew: 42,
  arrayNewFixed: 43,
  prefix: 44,
  global: 45,
  table: 46,
  typeIndex: 47,
} as const;

export const kindOf = new Uint8Array(operatorSpace);
/** Fuel of the operator itself (metering specification 4.3: wasmtime's units). */
export const fuelOf = new Uint8Array(operatorSpace);
/** What it does to the height of the operand stack, where that depends on nothing else. */
export const heightOf = new Int8Array(operatorSpace);

const kindOfImmediate: Record<ImmediateName, number> = {
  none: Kind.plain,
  block: Kind.block,
  label: Kind.branchOn,
  labels: Kind.brTable,
  func: Kind.index,
  indirect: Kind.twoIndices,
  type: Kind.typeIndex,
  local: Kind.index,
  global: Kind.global,
  table: Kind.table,
  memarg: Kind.memarg,
  memory: Kind.index,
  memoryMemory: Kind.twoIndices,
  dataMemory: Kind.twoIndices,
  data: Kind.index,
  elemTable: Kind.twoIndices,
  elem: Kind.index,
  tableTable: Kind.twoIndices,
  i32: Kind.i32,
  i64: Kind.i64,
  f32: Kind.bytes4,
  f64: Kind.bytes8,
  v128: Kind.bytes16,
  lane: Kind.bytes1,
  memargLane: Kind.memargLane,
  lanes: Kind.bytes16,
  select: Kind.select,
  heap: Kind.index,
  tag: Kind.index,
  tryTable: Kind.tryTable,
  castLabel: Kind.castLabel,
  typeField: Kind.twoIndices,
  typeCount: Kind.twoIndices,
  typeData: Kind.twoIndices,
  typeElem: Kind.twoIndices,
  typeType: Kind.twoIndices,
  fence: Kind.bytes1,
};

const kindOfName: Record<string, number> = {
  loop: Kind.loop,
  if: Kind.if,
  else: Kind.else,
  end: Kind.end,
  br: Kind.br,
  return: Kind.return,
  unreachable: Kind.unreachable,
  call: Kind.call,
  call_indirect: Kind.callIndirect,
  call_ref: Kind.callRef,
  return_call: Kind.returnCall,
  return_call_indirect: Kind.returnCallIndirect,
  return_call_ref: Kind.returnCallRef,
  throw: Kind.throw,
  throw_ref: Kind.throwRef,
  rethrow: Kind.rethrow,
  try: Kind.try,
  catch: Kind.catch,
  catch_all: Kind.catchAll,
  delegate: Kind.delegate,
  "memory.fill": Kind.bulk,
  "memory.copy": Kind.bulk,
  "table.fill": Kind.bulk,
  "table.copy": Kind.bulk,
  "memory.init": Kind.length,
  "table.init": Kind.length,
  "array.new": Kind.length,
  "array.new_default": Kind.length,
  "array.new_data": Kind.length,
  "array.new_elem": Kind.length,
  "array.fill": Kind.length,
  "array.copy": Kind.length,
  "array.init_data": Kind.length,
  "array.init_elem": Kind.length,
  "memory.grow": Kind.grow,
  "table.grow": Kind.grow,
  "ref.func": Kind.refFunc,
  "struct.new": Kind.structNew,
  "array.new_fixed": Kind.arrayNewFixed,
};

const free = new Set([
  "nop",
  "drop",
  "block",
  "loop",
  "unreachable",
  "return",
  "else",
  "end",
  "try",
  "catch",
  "catch_all",
  "delegate",
]);

for (const [index, operator] of operators.entries()) {
  if (operator === undefined) continue;
  kindOf[index] = kindOfName[operator.name] ?? kindOfImmediate[operator.immediate];
  fuelOf[index] = free.has(operator.name) ? 0 : 1;
  heightOf[index] = (operator.pushes ?? 0) - (operator.pops ?? 0);
}
for (let prefix = 0xfb; prefix <= 0xfe; prefix++) kindOf[prefix] = Kind.prefix;

/** Index of an operator that certainly exists. */
export function operatorNamed(name: string): number {
  return operatorIndexes.get(name) ?? 0;
}
