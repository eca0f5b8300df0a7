/** The operator table once more, as flat arrays for the analyser's inner loop: what to skip, what it costs. */

import { type ImmediateName, operatorIndexes, operatorSpace, operators } from "../opcodes.ts";

/** What the analyser does with an operator: skip immediates, or something of its own. */
export const Kind = {
  unknown: 0,
  plain: 1,
  number: 2,
  twoIndices: 3,
  memarg: 4,
  memargLane: 5,
  bytes1: 6,
  bytes4: 7,
  bytes8: 8,
  bytes16: 9,
  select: 10,
  global: 11,
  block: 12,
  loop: 13,
  if: 14,
  else: 15,
  end: 16,
  br: 17,
  branchOn: 18,
  castLabel: 19,
  brTable: 20,
  return: 21,
  unreachable: 22,
  call: 23,
  callIndirect: 24,
  callRef: 25,
  returnCall: 26,
  returnCallIndirect: 27,
  returnCallRef: 28,
  throw: 29,
  throwRef: 30,
  rethrow: 31,
  try: 32,
  tryTable: 33,
  catch: 34,
  catchAll: 35,
  delegate: 36,
  bulk: 37,
  length: 38,
  grow: 39,
  refFunc: 40,
  structNew: 41,
  arrayNewFixed: 42,
  prefix: 43,
  table: 44,
  typeIndex: 45,
} as const;

/** Kinds from `plain` to this one are read in a run: nothing in them changes region, block or stack by more. */
export const lastSimple = Kind.global;

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
  func: Kind.number,
  indirect: Kind.twoIndices,
  type: Kind.typeIndex,
  local: Kind.number,
  global: Kind.global,
  table: Kind.table,
  memarg: Kind.memarg,
  memory: Kind.number,
  memoryMemory: Kind.twoIndices,
  dataMemory: Kind.twoIndices,
  data: Kind.number,
  elemTable: Kind.twoIndices,
  elem: Kind.number,
  tableTable: Kind.twoIndices,
  i32: Kind.number,
  i64: Kind.number,
  f32: Kind.bytes4,
  f64: Kind.bytes8,
  v128: Kind.bytes16,
  lane: Kind.bytes1,
  memargLane: Kind.memargLane,
  lanes: Kind.bytes16,
  select: Kind.select,
  heap: Kind.number,
  tag: Kind.number,
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
  "memory.init": Kind.bulk,
  "table.init": Kind.bulk,
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

/** The three above in one number: kind, from bit 8 on fuel, from bit 16 on height. */
export const traitsOf = new Int32Array(operatorSpace);

for (const [index, operator] of operators.entries()) {
  if (operator === undefined) continue;
  kindOf[index] = kindOfName[operator.name] ?? kindOfImmediate[operator.immediate];
  fuelOf[index] = free.has(operator.name) ? 0 : 1;
  heightOf[index] = (operator.pushes ?? 0) - (operator.pops ?? 0);
}
for (let prefix = 0xfb; prefix <= 0xfe; prefix++) kindOf[prefix] = Kind.prefix;
for (let index = 0; index < operatorSpace; index++) {
  traitsOf[index] = (kindOf[index] ?? 0) | ((fuelOf[index] ?? 0) << 8) | ((heightOf[index] ?? 0) << 16);
}

/** Index of an operator that certainly exists. */
export function operatorNamed(name: string): number {
  return operatorIndexes.get(name) ?? 0;
}
