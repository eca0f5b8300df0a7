/**
 * An installed plugin as its host calls it. Whoever calls never sees a version: a new version that fails while the one
 * before it is still ready costs no call, since the old one answers it.
 */

import type { CancelSignal } from "../component/index.ts";
import type { Budget, CallOptions } from "../engine/index.ts";
import type { ObservedCall } from "./call-observer.ts";
import { managerErrors } from "./errors.ts";
import type { Plugin } from "./plugin.ts";
import type { RunningVersion } from "./running-version.ts";
import { SupervisedPlugin } from "./supervised-plugin.ts";
import { isTurnedAway } from "./turned-away.ts";

export class ManagedPlugin<Calls = unknown> extends SupervisedPlugin {
  /**
   * Calls into the plugin on this thread: `plugin.use(evaluate, message)` with
   * `const evaluate = (calls, message) => …`, a function that lives outside, so that a call makes no closure.
   *
   * @throws manager/not-running no version serves
   * @throws manager/not-inline  its guests are behind a wall, where calls give promises: `useAsync`
   * @throws engine/… component/… as `Plugin.call`
   */
  use<Argument, Result>(use: (calls: Calls, argument: Argument) => Result, argument: Argument): Result {
    const { around } = this.owner.observers;
    if (around === undefined) return this.#use(use, argument);
    return around(this.#observed(), () => this.#use(use, argument));
  }

  #use<Argument, Result>(use: (calls: Calls, argument: Argument) => Result, argument: Argument): Result {
    const serving = this.serving;
    const inline = serving?.inline;
    if (serving === undefined || inline === undefined) throw this.refusal();
    // What gives promises anyhow waits for its turn; what answers at once is answered by the version that still serves.
    if (this.handsOverTo !== undefined && !serving.answersAtOnce)
      return this.useAsync(
        use as (calls: Calls, argument: Argument) => PromiseLike<Result>,
        argument,
      ) as Result;
    this.#checkOwnState();
    // The binding of its world made them, and says of which type they are.
    const made = use as (calls: unknown, argument: Argument) => Result;
    let result: Result;
    try {
      result = inline.call(made, argument);
    } catch (error) {
      return this.#successorOf(serving, error).call(made, argument);
    }
    if (result instanceof Promise) {
      return this.#settled(serving, result, ({ guests }) => guests.callAsync(made, argument)) as Result;
    }
    if (this.isWatched) this.succeeded(serving);
    return result;
  }

  /**
   * As `use`, wherever the guests are and whatever they wait for: for calls that give promises.
   *
   * @param signal Leaves the line for a guest when it is aborted; what `use` calls ends by `abortable`.
   * @throws manager/not-running engine/… component/…
   */
  useAsync<Argument, Result>(
    use: (calls: Calls, argument: Argument) => PromiseLike<Result> | Result,
    argument: Argument,
    signal?: CancelSignal,
  ): Promise<Result> {
    const made = use as (calls: unknown, argument: Argument) => PromiseLike<Result> | Result; // as in `use`
    return this.#callAsync(({ guests }) => guests.callAsync(made, argument, signal));
  }

  /**
   * Calls what the plugin exports, by name.
   *
   * @param path    A function's name, or an interface's and the function's: `["filter", "evaluate"]`.
   * @param args    World values, or numbers and bigints for a core module.
   * @param options What this call may spend, the plugin's limits where they say nothing; and a signal that ends it, in line
   *                or in its guest, as `abortable` does.
   * @throws manager/not-running engine/… component/…
   * @throws component/cancelled the signal was aborted: no failure of the plugin's, whatever became of its guest
   */
  call(
    path: string | readonly string[],
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<unknown> {
    return this.#callAsync(({ guests }) => guests.callExport(path, args, options), path);
  }

  /**
   * As `call`, on this thread and at once; of functions of asynchronous type, by a promise.
   *
   * @throws manager/not-running manager/not-inline engine/… component/…
   */
  callNow(path: string | readonly string[], args: readonly unknown[], budget: Partial<Budget> = {}): unknown {
    const { around } = this.owner.observers;
    if (around === undefined) return this.#callNow(path, args, budget);
    return around(this.#observed(path), () => this.#callNow(path, args, budget));
  }

  #callNow(path: string | readonly string[], args: readonly unknown[], budget: Partial<Budget>): unknown {
    const serving = this.serving;
    const inline = serving?.inline;
    if (serving === undefined || inline === undefined || !serving.answersAtOnce) throw this.refusal();
    this.#checkOwnState();
    let result: unknown;
    try {
      result = inline.callExportNow(path, args, budget);
    } catch (error) {
      return this.#successorOf(serving, error).callExportNow(path, args, budget);
    }
    if (result instanceof Promise)
      return this.#settled(serving, result, ({ guests }) => guests.callExport(path, args, budget));
    if (this.isWatched) this.succeeded(serving);
    return result;
  }

  async #callAsync<Result>(
    act: (version: RunningVersion) => Promise<Result>,
    path?: ObservedCall["path"],
  ): Promise<Result> {
    const { around } = this.owner.observers;
    if (around === undefined) return this.#answer(act);
    return around(this.#observed(path), () => this.#answer(act));
  }

  async #answer<Result>(act: (version: RunningVersion) => Promise<Result>): Promise<Result> {
    if (this.handsOverTo !== undefined) await this.waitForTakeover();
    const serving = this.serving;
    if (serving === undefined) throw this.refusal();
    return this.#settled(serving, act(serving), act);
  }

  /** The result of a call that is under way; `again` makes it anew where it failed and another version can answer. */
  async #settled<Result>(
    serving: RunningVersion,
    call: Promise<Result>,
    again: (successor: RunningVersion) => Promise<Result>,
  ): Promise<Result> {
    let result: Result;
    try {
      result = await call;
    } catch (error) {
      if (isTurnedAway(error)) return this.#answer(again);
      const successor = this.noteFailure(serving, error);
      if (successor === undefined) throw error;
      return again(successor);
    }
    const code = serving.guests.takeFailure();
    if (code !== undefined)
      this.noteFailure(serving, managerErrors["failed-behind"]({ plugin: this.name, code }));
    else if (this.isWatched) this.succeeded(serving);
    return result;
  }

  /** What answers a call that failed in its place. @throws The failure, when there is nothing. */
  #successorOf(failed: RunningVersion, error: unknown): Plugin<unknown> {
    const inline = this.noteFailure(failed, error)?.inline;
    if (inline === undefined) throw error;
    return inline;
  }

  /**
   * Its state may be on its way to a version that answers by promises, which takes a while: what a call changed of it now
   * would be lost, and from then on there are no such calls. @throws manager/not-inline
   */
  #checkOwnState(): void {
    if (this.handsOverTo?.answersAtOnce === false) throw this.refusal(this.handsOverTo);
  }

  #observed(path?: ObservedCall["path"]): ObservedCall {
    return { plugin: this.name, version: this.serving?.version.version ?? "", path };
  }
}
