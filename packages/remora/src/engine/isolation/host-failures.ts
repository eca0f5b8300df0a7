/** Errors between the host and the guest's side: what host functions threw, kept here, and reports made errors again. */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import { endsCall } from "../blame.ts";
import { engineErrors } from "../errors.ts";
import type { ResolveFrame } from "../trap.ts";
import { decodeReport, type ErrorReport, encodeReport, errorOf } from "./error-report.ts";
import { answers, askedMax, kinds, type Message, message } from "./protocol.ts";

export class HostFailures {
  readonly #resolve: ResolveFrame;
  /** By number; emptied when the call that they ended is over. */
  readonly #thrown: unknown[] = [];
  /** Whether a call was cancelled: else no guest can say that one was, which would be nobody's fault. */
  hasCancelled = false;

  constructor(resolve: ResolveFrame) {
    this.#resolve = resolve;
  }

  /** The answer to a call of a host function that threw: the guest's side gets a number for it. */
  answer(error: RemoraError): Message {
    return message(kinds.answer, { item: answers.failed, payload: this.told(error) });
  }

  /** The same as the payload of an event. */
  told(error: RemoraError): Uint8Array {
    const thrown = this.#thrown.length;
    // More cannot fail before the first of them ends the guest; whoever goes on after that many cannot name those that come.
    if (thrown < askedMax) this.#thrown.push(error);
    return encodeReport({ code: error.code, details: {}, thrown });
  }

  /** What ended a call, or undefined when the bytes are no report of it. */
  error(bytes: Uint8Array): RemoraError | undefined {
    const error = this.#reported(bytes);
    return error && endsCall(error);
  }

  #reported(bytes: Uint8Array): RemoraError | undefined {
    const report = decodeReport(bytes);
    if (report === undefined) return undefined;
    if (report.thrown === undefined) {
      const isPossible = this.hasCancelled || report.code !== "component/cancelled";
      return isPossible ? errorOf(this.#placed(report)) : undefined;
    }
    const thrown = this.#thrown[report.thrown];
    return isRemoraError(thrown) ? thrown : undefined;
  }

  /** The call is over. */
  forget(): void {
    this.#thrown.length = 0;
    this.hasCancelled = false;
  }

  /** A trap's place in the module that the publisher built: the guest's side knows the rewritten one only. */
  #placed(report: ErrorReport): ErrorReport {
    for (const [functionIndex, offset] of report.frames ?? []) {
      const place = this.#resolve(functionIndex, offset);
      if (place !== undefined) return { ...report, details: { ...report.details, place } };
    }
    return report;
  }
}

/** What the host has to say to a guest that waits for it: the error is the host's own. */
export function closedError(plugin: string): RemoraError {
  return engineErrors.closed({ what: `the instance of "${plugin}"` });
}
