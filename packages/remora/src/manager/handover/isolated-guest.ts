/**
 * What `guest-interface.ts` does, for a guest behind a wall: its functions are asked for by name, and a core module's
 * memory piece by piece, since there is nothing of it to look at here.
 */

import type { Json } from "../../bundle/index.ts";
import { ComponentError } from "../../component/index.ts";
import type { IsolatedInstance } from "../../engine/index.ts";
import { busSubscriberInterface } from "../bus/plugin-bus.ts";
import { managerErrors } from "../errors.ts";
import {
  healthInterface,
  noRoomFor,
  outsideOf,
  packedPiece,
  settingsInterface,
  stateBytesMax,
  stateInterface,
  textsOf,
} from "./guest-interface.ts";

/** Calls an export that may not be there. @returns Undefined then; else its result, in a list. */
async function callIfThere(
  guest: IsolatedInstance,
  path: readonly string[],
  args: readonly unknown[],
): Promise<readonly [unknown] | undefined> {
  return guest.has(path) ? [(await guest.call(path, args)).result] : undefined;
}

/** As `configure` of a guest on this thread. */
export async function configureIsolated(
  plugin: string,
  guest: IsolatedInstance,
  settings: Json,
): Promise<boolean> {
  try {
    const path = [settingsInterface, "configure"];
    return (await callIfThere(guest, path, [JSON.stringify(settings)])) !== undefined;
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors["settings-refused"]({ plugin, reason: String(error.payload) }, error);
  }
}

/** As `busPatterns`. */
export async function isolatedBusPatterns(guest: IsolatedInstance): Promise<readonly string[]> {
  return textsOf((await callIfThere(guest, [busSubscriberInterface, "patterns"], []))?.[0]);
}

/** As `checkHealth`. */
export async function checkIsolatedHealth(plugin: string, guest: IsolatedInstance): Promise<void> {
  try {
    const [answer] = (await callIfThere(guest, ["check_health"], [])) ?? [0];
    if (answer !== 0)
      throw managerErrors.unhealthy({ plugin, reason: `check_health gave ${String(answer)}` });
    await callIfThere(guest, [healthInterface, "check"], []);
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors.unhealthy({ plugin, reason: String(error.payload) }, error);
  }
}

/** As `saveState`. */
export async function saveIsolatedState(
  plugin: string,
  guest: IsolatedInstance,
): Promise<Uint8Array | undefined> {
  if (guest.has("save_state")) return moduleState(plugin, guest);
  const [state] = (await callIfThere(guest, [stateInterface, "saveState"], [])) ?? [undefined];
  if (state === undefined) return undefined;
  if (state instanceof Uint8Array && state.length <= stateBytesMax) return state;
  const reason = `it gave no list of at most ${stateBytesMax} bytes`;
  throw managerErrors.state({ plugin, what: "save", reason });
}

/** As `takesState`. */
export function isolatedTakesState(guest: IsolatedInstance): boolean {
  return guest.has("restore_state") || guest.has([stateInterface, "restoreState"]);
}

/** As `restoreState`. */
export async function restoreIsolatedState(
  plugin: string,
  guest: IsolatedInstance,
  state: Uint8Array,
): Promise<void> {
  const refuse = (reason: string, cause?: unknown) =>
    managerErrors.state({ plugin, what: "restore", reason }, cause);
  if (guest.has("restore_state")) {
    const at = await placeBytes(plugin, guest, state);
    const { result } = await guest.call("restore_state", [at, state.length]);
    if (result !== 0) throw refuse(`restore_state gave ${String(result)}`);
    return;
  }
  try {
    await callIfThere(guest, [stateInterface, "restoreState"], [state]);
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw refuse(String(error.payload), error);
  }
}

async function moduleState(plugin: string, guest: IsolatedInstance): Promise<Uint8Array> {
  const { result } = await guest.call("save_state", []);
  const { at, length } = packedPiece(plugin, result);
  const state = await guest.readMemory(at, length);
  if (state === undefined) throw outsideOf(plugin, { at, length });
  return state;
}

async function placeBytes(plugin: string, guest: IsolatedInstance, bytes: Uint8Array): Promise<number> {
  const allocate = ["alloc", "allocate"].find((name) => guest.has(name));
  const given = allocate === undefined ? 0 : (await guest.call(allocate, [bytes.length])).result;
  const at = Number(given) >>> 0;
  // An empty state needs no room.
  if (at === 0 && bytes.length > 0) throw noRoomFor(plugin, bytes.length);
  if (!(await guest.writeMemory(at, bytes))) throw outsideOf(plugin, { at, length: bytes.length });
  return at;
}
