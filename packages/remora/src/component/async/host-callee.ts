/** Host functions that may give promises, as a guest's lowered functions call them. */

import { errorResult, type OutgoingCall, refuseUnannounced } from "../abi/call-host.ts";
import { isAsyncHostFunction, isThenable } from "../async-host.ts";
import { forget } from "./forgettable.ts";
import type { Later } from "./later.ts";
import type { Callee } from "./lowered-function.ts";
import type { HostEnd, Scheduler } from "./scheduler.ts";
import { type Caller, cancelled } from "./task.ts";

/** Of a call that had its result at once. */
const isOver = () => undefined;

/**
 * @param takeLoans Takes the objects that the host was lent for this call; gives what ends the loan.
 */
export function hostCallee(call: OutgoingCall, scheduler: Scheduler, takeLoans: () => () => void): Callee {
  const { callee, signature } = call;
  const { type, codecs } = signature;
  const resultType = type.result?.kind === "result" ? type.result : undefined;
  const err = resultType?.err === undefined ? undefined : codecs.of(resultType.err);
  const given = (value: unknown) => (resultType === undefined ? value : { tag: "ok", val: value });
  const thrown = (error: unknown) => errorResult(call, resultType !== undefined, err, error);
  // Which way the guest calls it says nothing about what the host has announced.
  const mayWait = type.isAsync || isAsyncHostFunction(callee);
  const givesFuture = type.result?.kind === "future";
  return {
    start(caller: Caller): Later<() => undefined> {
      const args = caller.start();
      const endLoans = takeLoans();
      const finish = (result: () => unknown) => {
        endLoans();
        caller.resolve(result());
      };
      let value: unknown;
      try {
        value = callee(...args);
      } catch (error) {
        finish(() => thrown(error));
        return isOver;
      }
      if (!isThenable(value) || (!mayWait && givesFuture)) {
        finish(() => given(value));
        return isOver;
      }
      const promise = value;
      if (!mayWait) {
        finish(() => refuseUnannounced(call.name, type.result, promise));
        return isOver;
      }
      // One promise for both: what is no promise of JavaScript's may do its work whenever it is asked.
      const settled = Promise.resolve(promise);
      const letGo = promised(scheduler, settled, (result, error) =>
        finish(() => (error === undefined ? given(result) : thrown(error.error))),
      );
      const release = caller.hold?.();
      if (release !== undefined) settled.then(release, release);
      return () => {
        letGo();
        // Whoever is not told goes on, and keeps what it was given.
        if (forget(promise)) release?.();
        endLoans();
        caller.resolve(cancelled);
        return undefined;
      };
    },
  };
}

/**
 * Waits for the host; the guest gets it between two of its turns.
 *
 * @returns what lets go of it: a host cannot be stopped, but nobody waits for what it then gives
 */
function promised(
  scheduler: Scheduler,
  value: Promise<unknown>,
  finish: (value: unknown, error: { readonly error: unknown } | undefined) => void,
): () => void {
  const end: HostEnd = { fail: () => {} };
  let isWanted = true;
  const letGo = () => {
    isWanted = false;
    scheduler.release(end);
    scheduler.end();
  };
  scheduler.begin();
  scheduler.hold(end);
  const settle = (result: unknown, error?: { readonly error: unknown }) => {
    if (!isWanted) return;
    scheduler.whenPaused(() => {
      // The guest may have cancelled the call in the turn before.
      if (!isWanted) return;
      letGo();
      scheduler.open();
      finish(result, error);
    });
  };
  value.then(
    (result) => settle(result),
    (error: unknown) => settle(undefined, { error }),
  );
  return letGo;
}
