/** Operators, types and numbers as the bytes that stand for them in a body. */

import { ByteWriter } from "remora/wasm";

export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  delegate: 0x18,
  catchAll: 0x19,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  store: 0x36,
  i32Const: 0x41,
  eqz: 0x45,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  and: 0x71,
  xor: 0x73,
  shrU: 0x76,
} as const;

export const i32 = 0x7f;

export function leb(value: number): number[] {
  return [...new ByteWriter().u32(value).finish()];
}

export function signed(value: number): number[] {
  return [...new ByteWriter().s32(value).finish()];
}
