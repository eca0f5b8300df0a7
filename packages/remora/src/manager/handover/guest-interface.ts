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
import { busSubscriberInterface } from "../bus/plugin-bus.ts";
import { managerErrors } from "../errors.ts";
import type { AskedGuest, Asking } from "./asked-guest.ts";

export const settingsInterface = "remora:plugin/settings@0.1.0";
export const healthInterface = "remora:plugin/health@0.1.0";
export const stateInterface = "remora:plugin/state@0.1.0";

/** The guest chooses how long its state is. */
export const stateBytesMax = 16 * 1024 * 1024;

/** Calls an export that may not be there. @returns Undefined then; else its result, in a list. */
function* callIfThere(
  guest: AskedGuest,
  path: string | readonly string[],
  args: readonly unknown[],
): Asking<readonly [unknown] | undefined> {
  return guest.has(path) ? [yield guest.call(path, args)] : undefined;
}

/**
 * Hands a fresh guest its settings.
 *
 * @returns False when it takes none.
 * @throws manager/settings-refused it says why
 */
export function* configure(plugin: string, guest: AskedGuest, settings: Json): Asking<boolean> {
  try {
    const path = [settingsInterface, "configure"];
    return (yield* callIfThere(guest, path, [JSON.stringify(settings)])) !== undefined;
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors["settings-refused"]({ plugin, reason: error.message }, error);
  }
}

/** What a guest wants to hear on the bus; nothing when it does not listen. @throws manager/no-patterns engine/… */
export function* busPatterns(plugin: string, guest: AskedGuest): Asking<readonly string[]> {
  try {
    const [patterns] = (yield* callIfThere(guest, [busSubscriberInterface, "patterns"], [])) ?? [];
    return Array.isArray(patterns) ? patterns.filter((one) => typeof one === "string") : [];
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors["no-patterns"]({ plugin, reason: error.message }, error);
  }
}

/** Asks it whether it is healthy; one that exports nothing for it is. @throws manager/unhealthy engine/… */
export function* checkHealth(plugin: string, guest: AskedGuest): Asking<void> {
  const [answer] = (yield* callIfThere(guest, "check_health", [])) ?? [0];
  if (answer !== 0) throw managerErrors.unhealthy({ plugin, reason: `check_health gave ${String(answer)}` });
  try {
    yield* callIfThere(guest, [healthInterface, "check"], []);
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors.unhealthy({ plugin, reason: error.message }, error);
  }
}

/** Whether a guest can save its state for another one. */
export function savesState(guest: AskedGuest): boolean {
  return guest.has("save_state") || guest.has([stateInterface, "saveState"]);
}

/** Whether a guest takes over what another one saved. */
export function takesState(guest: AskedGuest): boolean {
  return guest.has("restore_state") || guest.has([stateInterface, "restoreState"]);
}

/**
 * The state of a guest that a later version may go on with; undefined when it hands over none.
 *
 * @throws manager/state engine/…
 */
export function* saveState(plugin: string, guest: AskedGuest): Asking<Uint8Array | undefined> {
  if (guest.has("save_state")) return yield* moduleState(plugin, guest);
  const [state] = (yield* callIfThere(guest, [stateInterface, "saveState"], [])) ?? [];
  if (state === undefined) return undefined;
  if (state instanceof Uint8Array && state.length <= stateBytesMax) return state;
  // `list<u8>`, as the interface has it; or whatever the guest's own world has under that name.
  const { length } = Object(state) as { readonly length?: unknown };
  const reason = `it gave ${typeof length === "number" ? length : "no"} bytes, allowed: ${stateBytesMax}`;
  throw managerErrors.state({ plugin, what: "save", reason });
}

/** Hands over a state. @throws manager/state it does not take it; engine/… */
export function* restoreState(plugin: string, guest: AskedGuest, state: Uint8Array): Asking<void> {
  const refuse = (reason: string, cause?: unknown) =>
    managerErrors.state({ plugin, what: "restore", reason }, cause);
  if (guest.has("restore_state")) {
    const at = yield* placeBytes(plugin, guest, state);
    const answer = yield guest.call("restore_state", [at, state.length]);
    if (answer !== 0) throw refuse(`restore_state gave ${String(answer)}`);
    return;
  }
  try {
    yield* callIfThere(guest, [stateInterface, "restoreState"], [state]);
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw refuse(error.message, error);
  }
}

function* moduleState(plugin: string, guest: AskedGuest): Asking<Uint8Array> {
  const { at, length } = packedPiece(plugin, yield guest.call("save_state", []));
  const state = yield guest.readMemory(at, length);
  if (state === undefined) throw outsideOf(plugin, { at, length });
  return state as Uint8Array; // a piece of memory, as just seen
}

function* placeBytes(plugin: string, guest: AskedGuest, bytes: Uint8Array): Asking<number> {
  const allocate = ["alloc", "allocate"].find((name) => guest.has(name));
  const given = allocate === undefined ? 0 : yield guest.call(allocate, [bytes.length]);
  const at = Number(given) >>> 0;
  // An empty state needs no room.
  if (at === 0 && bytes.length > 0) {
    const reason = `alloc gave no ${bytes.length} bytes`;
    throw managerErrors.state({ plugin, what: "restore", reason });
  }
  if ((yield guest.writeMemory(at, bytes)) !== true) throw outsideOf(plugin, { at, length: bytes.length });
  return at;
}

/** A piece of a guest's memory, which the guest chose. */
interface PlacedPiece {
  readonly at: number;
  readonly length: number;
}

/** What `save_state` gave. @throws manager/state it is no pointer and length, or longer than a state may be */
function packedPiece(plugin: string, packed: unknown): PlacedPiece {
  const refuse = (reason: string) => managerErrors.state({ plugin, what: "save", reason });
  if (typeof packed !== "bigint") throw refuse("save_state must give an i64");
  const bits = BigInt.asUintN(64, packed);
  const length = Number(bits & 0xffff_ffffn);
  if (length > stateBytesMax) throw refuse(`it says ${length} bytes, allowed: ${stateBytesMax}`);
  return { at: Number(bits >> 32n), length };
}

function outsideOf(plugin: string, { at, length }: PlacedPiece): RemoraError {
  const reason = `${length} bytes at ${at} lie outside of its memory`;
  return managerErrors.state({ plugin, what: "hand over", reason });
}
