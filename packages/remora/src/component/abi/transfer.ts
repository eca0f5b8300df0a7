/** Calls whose arguments lie in a packet: they go from there into the guest's memory without being values in between. */

import type { CoreFunction, RoutineEngine } from "../core.ts";
import type { PacketMemory } from "../packet-memory.ts";
import { callWithPointer, type GuestFunction } from "./call-guest.ts";
import { type TransferImports, transferExport, transferModule } from "./transfer-module.ts";

/** The function of a guest that takes the address of its arguments in a packet. */
export type PacketCallable = (at: number) => unknown;

/**
 * Undefined where arguments have to be values: they are few and go as core values, have handles in them, or the
 * platform cannot run what moves them.
 */
export function callableFromPacket(guest: GuestFunction, packet: PacketMemory): PacketCallable | undefined {
  const { signature, cx } = guest;
  const { routines } = cx.engine;
  if (signature.spilled === undefined || cx.memory === undefined || routines === undefined) return undefined;
  const module = moduleOf(guest);
  if (module === undefined) return undefined;
  const transfer = instanceOf(module, routines, {
    guest: { memory: cx.memory, realloc: cx.realloc },
    packet: { memory: packet.memory },
    host: { refusePointer: (pointer, align, size) => cx.refusePointer(pointer >>> 0, align, size >>> 0) },
  });
  return transfer && callWithPointer(guest, transfer);
}

function instanceOf(
  module: Uint8Array,
  engine: RoutineEngine,
  { guest, packet, host }: TransferImports,
): CoreFunction | undefined {
  const imports = { guest: { ...guest }, packet: { ...packet }, host: { ...host } };
  // The module's one function that is exported.
  return engine.instantiate(module, imports)?.[transferExport] as CoreFunction | undefined;
}

/** By function type and encoding: instances of one component share them. */
const modules = new WeakMap<object, Map<string, Uint8Array | undefined>>();

function moduleOf({ signature, cx }: GuestFunction): Uint8Array | undefined {
  const { type } = signature;
  let known = modules.get(type);
  if (known === undefined) {
    known = new Map();
    modules.set(type, known);
  }
  if (!known.has(cx.encoding)) {
    const types = type.params.map((param) => param.type);
    known.set(cx.encoding, transferModule(types, cx.encoding));
  }
  return known.get(cx.encoding);
}
