/** What all canonical functions of the asynchronous ABI are made of. */

import type { AddressType } from "../abi/address.ts";
import type { Codecs } from "../abi/codec.ts";
import type { Context } from "../abi/context.ts";
import { trap } from "../abi/trap.ts";
import type { CoreFunction, CoreSignature, CoreValue, Flat } from "../core.ts";
import type { ValueType } from "../types.ts";
import type { Elements } from "./element.ts";
import type { InstanceTasks } from "./instance-tasks.ts";
import type { Later } from "./later.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

/** A table of functions; indices into a 64-bit one are bigints. */
export interface FunctionTable {
  get(index: Flat): CoreFunction | null;
}

/** A builtin as a component defines it. */
export interface BuiltinOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly tasks: InstanceTasks;
  readonly codecs: { readonly raw: Codecs; readonly host: Codecs };
  readonly elements: Elements;
  /** Memory and encoding that it was defined with; memory alone, or none. */
  readonly cx: Context;
  /** Of that memory. */
  readonly address: AddressType;
  /** `async`, `cancellable`: what its name has as a flag, or as an option. */
  readonly isFlagged: boolean;
  /** What a stream or future carries, and what `task.return` gives. */
  readonly type: ValueType | undefined;
  /** Of those that make threads. */
  readonly table: FunctionTable | undefined;
}

/** What a builtin does, and the signature that it has where it may wait. */
export interface Builtin {
  readonly body: (...flat: never[]) => Later<Flat | undefined>;
  readonly waits: CoreSignature | undefined;
}

/** The signature of one that may wait and gives a number. */
export const waits = (...params: readonly CoreValue[]): CoreSignature => ({ params, results: ["i32"] });

/** The thread that runs, which must be of the instance that the builtin was made for. */
export function runningIn(scheduler: Scheduler, tasks: InstanceTasks): Thread {
  const thread = scheduler.running();
  return thread.task.instance === tasks ? thread : trap("no task of this component instance is running");
}
