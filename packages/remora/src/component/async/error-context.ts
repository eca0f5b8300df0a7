/** What went wrong, in words, and the handles of guests to it (CanonicalABI.md, "canon error-context.new"). */

import type { Handle, HandleTable } from "../abi/handles.ts";
import { trap } from "../abi/trap.ts";
import type { Scheduler } from "./scheduler.ts";
import { handleKinds } from "./waitable.ts";

/** The specification lets a host change the message; a guest could fill the host's memory with long ones. */
const debugMessageMax = 1_024;

/** UTF-16 units of all messages that the handles of an instance stand for: 8 MB, where 100,000 handles could have 200. */
const messageUnitsMax = 4 * 1024 * 1024;

const kind = handleKinds["error-context"];

export class ErrorContext {
  readonly debugMessage: string;

  constructor(message: string) {
    // Joined anew: a slice would keep all of the message alive.
    this.debugMessage =
      message.length > debugMessageMax ? Array.from(message.slice(0, debugMessageMax)).join("") : message;
  }
}

export function addErrorContext(handles: HandleTable, scheduler: Scheduler, context: ErrorContext): number {
  scheduler.messageUnits += context.debugMessage.length;
  if (scheduler.messageUnits > messageUnitsMax) trap(`more than ${messageUnitsMax} characters of errors`);
  return handles.add(kind, context, true);
}

export function errorContextAt(handles: HandleTable, index: number): ErrorContext {
  return contextOf(handles.get(index, kind));
}

export function dropErrorContext(handles: HandleTable, scheduler: Scheduler, index: number): void {
  const handle = handles.remove(index, kind);
  scheduler.messageUnits -= contextOf(handle).debugMessage.length;
  // An entry that is free keeps what it stood for until it is taken again.
  handle.rep = undefined;
}

function contextOf(handle: Handle): ErrorContext {
  return handle.rep as ErrorContext; // What handles of this kind stand for.
}
