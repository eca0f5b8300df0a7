/** Whether an instance behind a wall takes calls, and what it refuses them with if it does not. */

import type { RemoraError } from "../../base/index.ts";
import { engineErrors } from "../errors.ts";
import type { Budget } from "../limits.ts";
import { closedError } from "./host-failures.ts";
import type { End, Link } from "./link.ts";
import { overdue } from "./watchdog.ts";

export class Standing {
  readonly #plugin: string;
  readonly #link: Link;
  #refusal: RemoraError | undefined;
  #cause = "";

  constructor(plugin: string, link: Link) {
    this.#plugin = plugin;
    this.#link = link;
  }

  /** Undefined while it takes calls. */
  get refusal(): RemoraError | undefined {
    return this.#refusal;
  }

  /** The code of why it takes none; empty while it does. */
  get cause(): string {
    return this.#cause || (this.#refusal?.code ?? "");
  }

  get isClosed(): boolean {
    return this.#refusal?.code === "engine/closed";
  }

  close(): RemoraError {
    this.#refusal = closedError(this.#plugin);
    return this.#refusal;
  }

  /** The guest failed so. */
  poison({ code: cause }: RemoraError): void {
    if (this.#refusal !== undefined) return;
    this.#cause = cause;
    this.#refusal = engineErrors.poisoned({ plugin: this.#plugin, cause });
  }

  /** What came cannot come from code of ours: whatever sent it is ended. */
  forged(error: unknown): RemoraError {
    // What is read after the first of it says nothing new.
    if (this.#refusal?.code === "engine/protocol-broken") return this.#refusal;
    const what = error instanceof Error ? error.message : String(error);
    this.#refusal = engineErrors["protocol-broken"]({ plugin: this.#plugin, what }, error);
    this.#link.kill(what);
    return this.#refusal;
  }

  /** The thread or process is over. Gives what a call that ran or waited is told. */
  lost({ reason, isGuestsFault }: End, call: LostCall): RemoraError {
    const plugin = this.#plugin;
    const { hasStarted, isInnermost, deadlineMs } = call;
    const late = isInnermost && reason === overdue;
    this.#refusal ??= late
      ? engineErrors.deadline({ plugin, deadlineMs })
      : isInnermost && isGuestsFault
        ? engineErrors["isolate-crashed"]({ plugin, reason })
        : engineErrors["isolate-lost"]({ plugin, reason, hasStarted });
    return this.#refusal;
  }
}

/** What a thread or process took along. */
export interface LostCall extends Pick<Budget, "deadlineMs"> {
  readonly hasStarted: boolean;
  /** It was the one that ran. */
  readonly isInnermost: boolean;
}
