/**
 * The interfaces of `remora:plugin` of a guest behind a wall: asked by name, since there is nothing of it to look at
 * here. A core module there hands over no state: its host has no view of its memory between calls.
 */

import { isRemoraError } from "../../base/index.ts";
import type { Json } from "../../bundle/index.ts";
import { ComponentError } from "../../component/index.ts";
import type { IsolatedInstance } from "../../engine/index.ts";
import { busSubscriberInterface } from "../bus/plugin-bus.ts";
import { managerErrors } from "../errors.ts";
import {
  healthInterface,
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
  try {
    return [(await guest.call(path, args)).result];
  } catch (error) {
    if (isRemoraError(error, "component/no-such-export")) return undefined;
    throw error;
  }
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
  const [state] = (await callIfThere(guest, [stateInterface, "saveState"], [])) ?? [undefined];
  if (state === undefined) return undefined;
  if (state instanceof Uint8Array && state.length <= stateBytesMax) return state;
  const reason = `it gave no list of at most ${stateBytesMax} bytes`;
  throw managerErrors.state({ plugin, what: "save", reason });
}

/** As `restoreState`. @returns Whether it takes a state at all. */
export async function restoreIsolatedState(
  plugin: string,
  guest: IsolatedInstance,
  state: Uint8Array,
): Promise<boolean> {
  try {
    return (await callIfThere(guest, [stateInterface, "restoreState"], [state])) !== undefined;
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw managerErrors.state({ plugin, what: "restore", reason: String(error.payload) }, error);
  }
}
