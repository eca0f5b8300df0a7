/** Streams, futures and error contexts as values: from one table of handles to another, and to the host and back. */

import { type AsyncType, type AsyncValues, isErrorWithMessage } from "../abi/codec-async.ts";
import type { Context } from "../abi/context.ts";
import { trap } from "../abi/trap.ts";
import { isThenable } from "../async-host.ts";
import { addEnd, endAt } from "./copy-end.ts";
import type { Elements } from "./element.ts";
import { addErrorContext, ErrorContext, errorContextAt } from "./error-context.ts";
import { isAsyncIterable, pumpInto, settleInto } from "./host-source.ts";
import { GuestStream, promiseOf } from "./host-stream.ts";
import type { Scheduler } from "./scheduler.ts";
import { type SharedCopy, SharedFuture, SharedStream } from "./shared-copy.ts";
import { handleKinds } from "./waitable.ts";

export class InstanceAsyncValues implements AsyncValues {
  readonly #scheduler: Scheduler;
  readonly #elements: Elements;
  readonly #hostEndsMax: number;

  constructor(scheduler: Scheduler, elements: Elements, hostEndsMax: number) {
    this.#scheduler = scheduler;
    this.#elements = elements;
    this.#hostEndsMax = hostEndsMax;
  }

  take(cx: Context, index: number, type: AsyncType): SharedCopy | ErrorContext {
    const { state } = cx;
    if (type.kind === "error-context") {
      return errorContextAt(state.handles, index);
    }
    const kind = `${type.kind}-read` as const;
    const end = endAt(state, index, kind, type.element);
    if (end.state !== "idle") trap(`a ${type.kind} is handed over that is being read, or was`);
    if (end.set !== undefined) trap(`a ${type.kind} is handed over that is in a waitable set`);
    state.handles.remove(index, handleKinds[kind]);
    return end.shared;
  }

  put(cx: Context, shared: unknown, type: AsyncType): number {
    if (type.kind === "error-context")
      return addErrorContext(cx.state.handles, this.#scheduler, shared as ErrorContext); // As above.
    return addEnd(cx.state, shared as SharedCopy, "read"); // As `take` and `fromHost` give it.
  }

  toHost(shared: unknown, type: AsyncType): unknown {
    if (type.kind === "error-context") return new Error((shared as ErrorContext).debugMessage); // As `take` gives it.
    if (this.#scheduler.hostEnds >= this.#hostEndsMax)
      trap(`more than ${this.#hostEndsMax} streams and futures with the host`);
    return shared instanceof SharedFuture
      ? promiseOf(shared, this.#scheduler)
      : new GuestStream(shared as SharedStream, this.#scheduler); // The only other.
  }

  accepts(value: unknown, type: AsyncType): boolean {
    if (type.kind === "error-context") return isErrorWithMessage(value);
    if (type.kind === "future") return isThenable(value);
    return isAsyncIterable(value);
  }

  fromHost(value: unknown, type: AsyncType): SharedCopy | ErrorContext {
    if (type.kind === "error-context") return new ErrorContext((value as Error).message); // Accepted before.
    if (type.kind === "future") {
      const shared = new SharedFuture(this.#elements.of(type.element));
      settleInto(shared, value as PromiseLike<unknown>, this.#scheduler); // As above.
      return shared;
    }
    const given = value instanceof GuestStream ? value.release(this.#scheduler) : undefined;
    if (given !== undefined) return given;
    const shared = new SharedStream(this.#elements.of(type.element));
    pumpInto(shared, value as AsyncIterable<unknown>, this.#scheduler); // As above.
    return shared;
  }
}
