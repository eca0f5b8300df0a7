/**
 * What a plugin of any host may export for the manager: settings, health and state. A component exports the
 * interfaces of `remora:plugin`; a core module functions of fixed names, which give and take bytes as a pointer and a
 * length:
 *
 * ```text
 *   check_health: () -> i32                0 when it is healthy
 *   save_state: () -> i64                  pointer << 32 | length
 *   restore_state: (i32 i32) -> i32        pointer, length; 0 when it took the state
 *   alloc: (i32) -> i32                    or `allocate`: room for that many bytes; 0 when there is none
 * ```
 */

import type { RemoraError } from "../../base/index.ts";
import type { Json } from "../../bundle/index.ts";
import { ComponentError } from "../../component/index.ts";
import type { Instance, ModuleInstance } from "../../engine/index.ts";
import { busSubscriberInterface } from "../bus/plugin-bus.ts";
import { managerErrors } from "../errors.ts";

export const settingsInterface = "remora:plugin/settings@0.1.0";
export const healthInterface = "remora:plugin/health@0.1.0";
export const stateInterface = "remora:plugin/state@0.1.0";

/** The guest chooses how long its state is. */
export const stateBytesMax = 16 * 1024 * 1024;

type Functions = Readonly<Record<string, ((...args: readonly unknown[]) => unknown) | undefined>>;

/** The functions of an interface that a component exports, by short or full name. */
function exported(instance: Instance, name: string): Functions | undefined {
  if (instance.kind !== "component") return undefined;
  const found: unknown = (instance.exports as { readonly [name: string]: unknown })[name];
  // The component layer makes an object of functions for each exported interface.
  return typeof found === "object" && found !== null ? (found as Functions) : undefined;
}

/**
 * Hands a fresh instance its settings.
 *
 * @returns False when it takes none.
 * @throws manager/settings-refused it says why
 */
export function configure(plugin: string, instance: Instance, settings: Json): boolean {
  const found = exported(instance, settingsInterface);
  if (found?.configure === undefined) return false;
  try {
    found.configure(JSON.stringify(settings));
    return true;
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors["settings-refused"]({ plugin, reason: String(error.payload) }, error);
  }
}

/** What a guest wants to hear on the bus; nothing when it does not listen. */
export function busPatterns(instance: Instance): readonly string[] {
  return textsOf(exported(instance, busSubscriberInterface)?.patterns?.());
}

/** The guest's own world may have another type of that name. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Asks it whether it is healthy; one that exports nothing for it is. @throws manager/unhealthy engine/… */
export function checkHealth(plugin: string, instance: Instance): void {
  if (instance.kind === "module") {
    const answer = instance.exports.check_health?.();
    if (answer === undefined || answer === 0) return;
    throw managerErrors.unhealthy({ plugin, reason: `check_health gave ${String(answer)}` });
  }
  try {
    exported(instance, healthInterface)?.check?.();
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors.unhealthy({ plugin, reason: String(error.payload) }, error);
  }
}

/**
 * The state of an instance that a later version may go on with; undefined when it hands over none.
 *
 * @throws manager/state engine/…
 */
export function saveState(plugin: string, instance: Instance): Uint8Array | undefined {
  const state =
    instance.kind === "module"
      ? moduleState(plugin, instance)
      : exported(instance, stateInterface)?.saveState?.();
  if (state === undefined) return undefined;
  const bytes = state as Uint8Array; // `list<u8>`, as the interface has it
  if (!(bytes instanceof Uint8Array) || bytes.length > stateBytesMax) {
    const reason = `it gave ${bytes.length ?? "no"} bytes, allowed: ${stateBytesMax}`;
    throw managerErrors.state({ plugin, what: "save", reason });
  }
  return bytes;
}

/** Whether an instance takes over what another one saved. */
export function takesState(instance: Instance): boolean {
  return instance.kind === "module"
    ? instance.exports.restore_state !== undefined
    : exported(instance, stateInterface)?.restoreState !== undefined;
}

/** Hands over a state. @throws manager/state it does not take it; engine/… */
export function restoreState(plugin: string, instance: Instance, state: Uint8Array): void {
  const refuse = (reason: string, cause?: unknown) =>
    managerErrors.state({ plugin, what: "restore", reason }, cause);
  if (instance.kind === "module") {
    const answer = instance.exports.restore_state?.(placeBytes(plugin, instance, state), state.length);
    if (answer !== 0) throw refuse(`restore_state gave ${String(answer)}`);
    return;
  }
  try {
    exported(instance, stateInterface)?.restoreState?.(state);
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw refuse(String(error.payload), error);
  }
}

function moduleState(plugin: string, { exports, memory }: ModuleInstance): Uint8Array | undefined {
  const save = exports.save_state;
  if (save === undefined) return undefined;
  return slice(plugin, memory, packedPiece(plugin, save())).slice();
}

function placeBytes(plugin: string, { exports, memory }: ModuleInstance, bytes: Uint8Array): number {
  const allocate = exports.alloc ?? exports.allocate;
  const at = Number(allocate?.(bytes.length) ?? 0) >>> 0;
  // An empty state needs no room.
  if (at === 0 && bytes.length > 0) throw noRoomFor(plugin, bytes.length);
  // The buffer is taken after the guest ran: growth replaces it.
  slice(plugin, memory, { at, length: bytes.length }).set(bytes);
  return at;
}

function slice(plugin: string, memory: ModuleInstance["memory"], piece: PlacedPiece): Uint8Array {
  const { at, length } = piece;
  if (at + length > (memory?.buffer.byteLength ?? 0)) throw outsideOf(plugin, piece);
  return new Uint8Array(memory?.buffer as ArrayBuffer, at, length); // There, as just seen.
}

/** A piece of a guest's memory, which the guest chose. */
export interface PlacedPiece {
  readonly at: number;
  readonly length: number;
}

/** What `save_state` gave. @throws manager/state it is no pointer and length, or longer than a state may be */
export function packedPiece(plugin: string, packed: unknown): PlacedPiece {
  const refuse = (reason: string) => managerErrors.state({ plugin, what: "save", reason });
  if (typeof packed !== "bigint") throw refuse("save_state must give an i64");
  const bits = BigInt.asUintN(64, packed);
  const length = Number(bits & 0xffff_ffffn);
  if (length > stateBytesMax) throw refuse(`it says ${length} bytes, allowed: ${stateBytesMax}`);
  return { at: Number(bits >> 32n), length };
}

export function noRoomFor(plugin: string, length: number): RemoraError {
  return managerErrors.state({ plugin, what: "restore", reason: `alloc gave no ${length} bytes` });
}

export function outsideOf(plugin: string, { at, length }: PlacedPiece): RemoraError {
  const reason = `${length} bytes at ${at} lie outside of its memory`;
  return managerErrors.state({ plugin, what: "hand over", reason });
}
