/** The canonical functions of the asynchronous ABI (CanonicalABI.md, from "canon task.return" on). */

import { addressOf, flatAddress } from "../abi/address.ts";
import { argumentsLifter } from "../abi/call-host.ts";
import type { Codecs } from "../abi/codec.ts";
import type { Context } from "../abi/context.ts";
import { signatureOf } from "../abi/signature.ts";
import { trap } from "../abi/trap.ts";
import type { Flat } from "../core.ts";
import type { ValueType } from "../types.ts";
import { type Builtin, type BuiltinOptions, runningIn, waits } from "./builtin.ts";
import { addEnd, blocked, cancelBuiltin, copyBuiltin, dropBuiltin, type EndKind } from "./copy-end.ts";
import { addErrorContext, dropErrorContext, ErrorContext, errorContextAt } from "./error-context.ts";
import { after, type Later } from "./later.ts";
import { isSameType } from "./same-type.ts";
import { SharedFuture, SharedStream } from "./shared-copy.ts";
import { type Subtask, subtaskStates } from "./subtask.ts";
import { threadFunction } from "./thread-builtins.ts";
import {
  type Event,
  handleKinds,
  noEvent,
  taskCancelled,
  WaitableSet,
  waitableAt,
  waitableSetAt,
} from "./waitable.ts";

export function builtinOf(options: BuiltinOptions): Builtin {
  const { name } = options;
  const [area = "", verb = ""] = name.split(".");
  switch (area) {
    case "stream":
    case "future":
      return copyFunction(options, area, verb);
    case "error-context":
      return errorFunction(options, verb);
    case "thread":
      return threadFunction(options, verb);
    case "waitable":
    case "waitable-set":
      return waitableFunction(options, name);
    default:
      return taskFunction(options, name);
  }
}

function taskFunction(options: BuiltinOptions, name: string): Builtin {
  const { scheduler, tasks } = options;
  switch (name) {
    case "task.return":
      return { body: taskReturn(options), waits: undefined };
    case "task.cancel":
      return {
        body() {
          const { task } = runningIn(scheduler, tasks);
          if (!task.lifted.isAsync) trap("task.cancel of a task of the synchronous ABI");
          task.cancel();
          return undefined;
        },
        waits: undefined,
      };
    case "subtask.cancel":
      return { body: subtaskCancel(options), waits: waits("i32") };
    default:
      return {
        body(index: number) {
          const { handles } = tasks.state;
          const subtask = handles.get(index, handleKinds.subtask).rep as Subtask; // What handles of this kind stand for.
          if (!subtask.isResolveDelivered) trap("a subtask is dropped that is not over");
          handles.remove(index, handleKinds.subtask);
          subtask.leaveSet();
          return undefined;
        },
        waits: undefined,
      };
  }
}

function taskReturn({ scheduler, tasks, cx, type }: BuiltinOptions): Builtin["body"] {
  return (...flat: Flat[]) => {
    const { task } = runningIn(scheduler, tasks);
    const { signature, isAsync, cx: lifted } = task.lifted;
    if (!isAsync) trap("task.return of a task of the synchronous ABI");
    if (!isSameType(signature.type.result, type)) trap("task.return of another type than the function's");
    // Without a memory there is nothing that it could be read from wrongly.
    if (cx.memory !== undefined && (cx.encoding !== lifted.encoding || cx.memory !== lifted.memory))
      trap("task.return with another memory or encoding than the function's");
    cx.beginLift();
    task.return(
      type === undefined ? undefined : argumentsLifter(resultAsParams(signature, type))(cx, flat)[0],
    );
    return undefined;
  };
}

function resultAsParams(
  { codecs }: { readonly codecs: Codecs },
  type: ValueType,
): Parameters<typeof argumentsLifter>[0] {
  return signatureOf(
    { kind: "func", isAsync: false, params: [{ name: "", type }], result: undefined },
    codecs,
  );
}

function subtaskCancel({ scheduler, tasks, isFlagged }: BuiltinOptions): Builtin["body"] {
  return (index: number) => {
    const subtask = tasks.state.handles.get(index, handleKinds.subtask).rep as Subtask; // As above.
    if (subtask.isResolveDelivered) trap("a subtask is cancelled that is over");
    if (subtask.isCancelRequested) trap("a subtask is cancelled twice");
    if (subtask.set !== undefined && !isFlagged) trap("a synchronous cancel of a subtask in a waitable set");
    const finish = (): Later<Flat> => {
      if (subtask.isResolved) {
        subtask.takeEvent();
        return subtaskStates[subtask.state];
      }
      if (isFlagged) return blocked;
      return after(subtask.awaitEvent(scheduler), () => subtaskStates[subtask.state]);
    };
    if (subtask.isResolved) return finish();
    subtask.isCancelRequested = true;
    return after(subtask.cancel(), finish);
  };
}

function waitableFunction(options: BuiltinOptions, name: string): Builtin {
  const { scheduler, tasks, cx, address, isFlagged } = options;
  const { state } = tasks;
  switch (name) {
    case "waitable-set.new":
      return { body: () => state.handles.add(handleKinds.set, new WaitableSet(), true), waits: undefined };
    case "waitable-set.wait":
      return {
        body(index: number, pointer: Flat) {
          const set = waitableSetAt(state, index);
          set.waiters++;
          return after(
            scheduler.waitUntil(() => set.hasEvent, isFlagged),
            (isCancelled) => {
              set.waiters--;
              return deliver(cx, isCancelled ? taskCancelled : set.take(), pointer);
            },
          );
        },
        waits: waits("i32", address),
      };
    case "waitable-set.poll":
      return {
        body(index: number, pointer: Flat) {
          const set = waitableSetAt(state, index);
          const isCancelled = runningIn(scheduler, tasks).task.takePendingCancel(isFlagged);
          return deliver(cx, isCancelled ? taskCancelled : set.hasEvent ? set.take() : noEvent, pointer);
        },
        waits: undefined,
      };
    case "waitable-set.drop":
      return {
        body(index: number) {
          const set = waitableSetAt(state, index);
          if (set.size > 0) trap("a waitable set is dropped that has members");
          if (set.waiters > 0) trap("a waitable set is dropped that is waited for");
          state.handles.remove(index, handleKinds.set);
          return undefined;
        },
        waits: undefined,
      };
    default:
      return {
        body(index: number, set: number) {
          waitableAt(state, index).join(set === 0 ? undefined : waitableSetAt(state, set));
          return undefined;
        },
        waits: undefined,
      };
  }
}

/** Writes an event where the guest wants it, and gives its code. */
function deliver(cx: Context, [code, first, second]: Event, pointer: Flat): number {
  cx.refreshIfDetached();
  const at = addressOf(pointer);
  cx.checkRange(at, 4, 8);
  cx.view.setUint32(at, first, true);
  cx.view.setUint32(at + 4, second, true);
  return code;
}

function copyFunction(options: BuiltinOptions, area: "stream" | "future", verb: string): Builtin {
  const { scheduler, tasks, cx, address, type, isFlagged, elements } = options;
  const { state } = tasks;
  const element = elements.of(type);
  switch (verb) {
    case "new":
      return {
        body() {
          const shared = area === "stream" ? new SharedStream(element) : new SharedFuture(element);
          const readable = addEnd(state, shared, "read");
          return BigInt(readable) | (BigInt(addEnd(state, shared, "write")) << 32n);
        },
        waits: undefined,
      };
    case "read":
    case "write": {
      const copy = copyBuiltin({ scheduler, cx, kind: `${area}-${verb}`, element, isAsync: isFlagged });
      if (area === "future") return { body: copy, waits: isFlagged ? undefined : waits("i32", address) };
      return {
        body: address === "i32" ? copy : widened(copy),
        waits: isFlagged ? undefined : { params: ["i32", address, address], results: [address] },
      };
    }
    case "cancel-read":
    case "cancel-write":
      return {
        body: cancelBuiltin({ scheduler, state, kind: kindOf(area, verb), type, isAsync: isFlagged }),
        waits: isFlagged ? undefined : waits("i32"),
      };
    default:
      return { body: dropBuiltin(state, kindOf(area, verb), type), waits: undefined };
  }
}

/** As a copy, and says how much was copied in a core value of the size of an address. */
function widened(copy: ReturnType<typeof copyBuiltin>): ReturnType<typeof copyBuiltin> {
  return (index, pointer, length) =>
    after(copy(index, pointer, length), (packed) => flatAddress("i64", Number(packed) >>> 0));
}

function kindOf(area: "stream" | "future", verb: string): EndKind {
  return verb.endsWith("read") || verb.endsWith("readable") ? `${area}-read` : `${area}-write`;
}

function errorFunction({ scheduler, tasks, cx, codecs }: BuiltinOptions, verb: string): Builtin {
  const { handles } = tasks.state;
  const text = codecs.raw.of({ kind: "string" });
  switch (verb) {
    case "new":
      return {
        body(pointer: Flat, length: Flat) {
          cx.beginLift();
          const message = text.lift(cx, [pointer, length], 0) as string; // As its codec gives it.
          return addErrorContext(handles, scheduler, new ErrorContext(message));
        },
        waits: undefined,
      };
    case "debug-message":
      return {
        body(index: number, pointer: Flat) {
          const { debugMessage } = errorContextAt(handles, index);
          cx.refreshIfDetached();
          const at = addressOf(pointer);
          cx.checkRange(at, text.align, text.size);
          cx.state.mayLeave = false;
          text.store(cx, debugMessage, at);
          cx.state.mayLeave = true;
          return undefined;
        },
        waits: undefined,
      };
    default:
      return { body: (index: number) => void dropErrorContext(handles, scheduler, index), waits: undefined };
  }
}
