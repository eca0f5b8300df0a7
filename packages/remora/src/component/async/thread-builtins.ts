/** Threads as guests make them and switch between them (CanonicalABI.md, from "canon thread.index" on). */

import { trap } from "../abi/trap.ts";
import type { CoreFunction, Flat } from "../core.ts";
import { componentErrors } from "../errors.ts";
import { type Builtin, type BuiltinOptions, type FunctionTable, runningIn, waits } from "./builtin.ts";
import { after, type Later } from "./later.ts";
import { entryOf } from "./lifted-function.ts";
import type { Scheduler } from "./scheduler.ts";
import { Thread } from "./thread.ts";

export function threadFunction(options: BuiltinOptions, verb: string): Builtin {
  const { scheduler, tasks, isFlagged: isCancellable } = options;
  const here = () => runningIn(scheduler, tasks);
  const suspended = (index: number): Thread => {
    const thread = tasks.thread(index);
    return thread.isSuspended ? thread : trap(`thread ${index} is not suspended`);
  };
  const block = (pause: Parameters<Scheduler["block"]>[0]): Later<Flat> => {
    here();
    return after(scheduler.block({ isCancellable, ...pause }), Number);
  };
  const yielding = { isReady: () => true };
  switch (verb) {
    case "index":
      return { body: () => here().index, waits: undefined };
    case "new-indirect":
      return { body: (index, argument) => newThread(options, index, argument).index, waits: undefined };
    case "spawn-indirect":
      return {
        body(index, argument) {
          const thread = newThread(options, index, argument);
          scheduler.resumeLater(thread);
          return thread.index;
        },
        waits: undefined,
      };
    case "available-parallelism":
      // One of its threads runs at a time.
      return { body: () => 1, waits: undefined };
    case "resume-later":
      return {
        body(index: number) {
          scheduler.resumeLater(suspended(index));
          return undefined;
        },
        waits: undefined,
      };
    case "suspend":
      return { body: () => block({}), waits: waits() };
    case "yield":
      return { body: () => block(yielding), waits: waits() };
    case "suspend-then-resume":
      return { body: (index: number) => block({ next: suspended(index) }), waits: waits("i32") };
    case "yield-then-resume":
      return { body: (index: number) => block({ next: suspended(index), ...yielding }), waits: waits("i32") };
    case "suspend-then-promote":
    case "yield-then-promote":
      return {
        body(index: number) {
          const other = tasks.thread(index);
          const rest = verb.startsWith("yield") ? yielding : {};
          return block(other.isReady?.() === true ? { next: other, ...rest } : rest);
        },
        waits: waits("i32"),
      };
    default:
      throw componentErrors.unsupported({ what: `canonical function thread.${verb}`, offset: 0 });
  }
}

/** CanonicalABI.md, "canon thread.new-indirect": it is suspended until somebody resumes it. */
function newThread({ scheduler, tasks, table }: BuiltinOptions, index: Flat, argument: Flat): Thread {
  const { task } = runningIn(scheduler, tasks);
  const core = functionAt(table, index);
  const type = typeof argument === "bigint" ? "i64" : "i32";
  let enter: ReturnType<typeof entryOf>;
  try {
    enter = entryOf(scheduler, core, { params: [type], results: [] });
  } catch {
    // V8 refuses to link a function of another type.
    return trap(`function ${index} of the table is not of the type (${type}) -> ()`);
  }
  const thread = new Thread(task, true);
  thread.onReturn = () => {
    task.unregister(thread);
    scheduler.end();
    scheduler.over(thread);
  };
  thread.proceed = () => enter(thread, [argument]);
  scheduler.begin();
  task.register(thread);
  return thread;
}

function functionAt(table: FunctionTable | undefined, given: Flat): CoreFunction {
  const index = typeof given === "bigint" ? BigInt.asUintN(64, given) : given >>> 0;
  try {
    return table?.get(index) ?? trap(`there is no function ${index} in the table`);
  } catch {
    // V8 throws a RangeError beyond the table's end.
    return trap(`there is no function ${index} in the table`);
  }
}
