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
  const packed = exports.save_state?.();
  if (packed === undefined) return undefined;
  if (typeof packed !== "bigint" || memory === undefined) {
    throw managerErrors.state({
      plugin,
      what: "save",
      reason: "save_state must give an i64 and a memory hold it",
    });
  }
  const bits = BigInt.asUintN(64, packed);
  return slice(plugin, memory.buffer, Number(bits >> 32n), Number(bits & 0xffff_ffffn)).slice();
}

function placeBytes(plugin: string, { exports, memory }: ModuleInstance, bytes: Uint8Array): number {
  const allocate = exports.alloc ?? exports.allocate;
  const at = Number(allocate?.(bytes.length) ?? 0) >>> 0;
  if (memory === undefined || at === 0) {
    throw managerErrors.state({ plugin, what: "restore", reason: `alloc gave no ${bytes.length} bytes` });
  }
  // The buffer is taken after the guest ran: growth replaces it.
  slice(plugin, memory.buffer, at, bytes.length).set(bytes);
  return at;
}

/** The guest chose both numbers. */
function slice(plugin: string, buffer: ArrayBufferLike, at: number, length: number): Uint8Array {
  if (length > stateBytesMax || at + length > buffer.byteLength) {
    const reason = `${length} bytes at ${at} lie outside of its ${buffer.byteLength} or are more than ${stateBytesMax}`;
    throw managerErrors.state({ plugin, what: "hand over", reason });
  }
  return new Uint8Array(buffer as ArrayBuffer, at, length);
}
