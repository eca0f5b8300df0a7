/** Errors between the guest's side and the host: reports out of what was thrown here, and errors out of answers. */

import { isRemoraError } from "../../../base/index.ts";
import { engineErrors } from "../../errors.ts";
import type { ResolveFrame } from "../../trap.ts";
import { decodeReport, type ErrorReport, errorOf, framesMax, ThrownByHost } from "../error-report.ts";

export class Failures {
  readonly #frames: [number, number][] = [];

  /** Keeps what the engine asks for: only the host can say what it is in the original. */
  readonly resolve: ResolveFrame = (functionIndex, offset) => {
    if (this.#frames.length < framesMax) this.#frames.push([functionIndex, offset]);
    return undefined;
  };

  /** To be called before guest code runs: frames are those of its own failure. */
  begin(): void {
    this.#frames.length = 0;
  }

  report(error: unknown): ErrorReport {
    if (error instanceof ThrownByHost) {
      const { code, thrown } = error;
      return { code, details: {}, thrown };
    }
    const frames = this.#frames.length === 0 ? {} : { frames: [...this.#frames] };
    this.begin();
    if (isRemoraError(error)) {
      return { code: error.code, details: error.details as Record<string, unknown>, ...frames }; // Each table has an object.
    }
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    return { code: "engine/isolate-failed", details: { reason } };
  }

  /** What a host function's failure is here: it ends the guest, and comes back to the host as it was. */
  ofAnswer(payload: Uint8Array): Error {
    const report = decodeReport(payload);
    if (report?.thrown !== undefined) return new ThrownByHost(report.thrown);
    const told = report === undefined ? undefined : errorOf(report);
    return told ?? engineErrors["isolate-failed"]({ reason: "an answer that is none" });
  }
}
