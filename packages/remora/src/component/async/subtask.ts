/** Calls that a guest has made and that may not be over (CanonicalABI.md, "Subtask State"). */

import type { Handle } from "../abi/handles.ts";
import type { Flat } from "../core.ts";
import type { Later } from "./later.ts";
import { eventCodes, Waitable } from "./waitable.ts";

/** CanonicalABI.md, "Subtask.State": what the guest is told. */
export const subtaskStates = {
  starting: 0,
  started: 1,
  returned: 2,
  "cancelled-before-started": 3,
  "cancelled-before-returned": 4,
} as const;

export type SubtaskState = keyof typeof subtaskStates;

export class Subtask extends Waitable {
  state: SubtaskState = "starting";
  isCancelRequested = false;
  /** Asks the callee to stop. */
  cancel: () => Later<void> = () => undefined;
  flat: Flat | undefined;
  /** Its handle, when the guest got one. */
  index = 0;
  /** Handles that it lends to the callee until the guest knows of the result. */
  #lenders: readonly Handle[] | undefined = [];

  get isResolved(): boolean {
    return this.state !== "starting" && this.state !== "started";
  }

  get isResolveDelivered(): boolean {
    return this.#lenders === undefined;
  }

  lend(handles: readonly Handle[]): void {
    this.#lenders = handles;
  }

  deliverResolve(): void {
    for (const handle of this.#lenders ?? []) handle.lends--;
    this.#lenders = undefined;
  }

  /** Tells the guest of its state, as it will be when the guest looks. */
  announce(): void {
    this.setEvent(() => {
      if (this.isResolved) this.deliverResolve();
      return [eventCodes.subtask, this.index, subtaskStates[this.state]];
    });
  }
}
