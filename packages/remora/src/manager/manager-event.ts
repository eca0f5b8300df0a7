/** What happens to plugins, for whoever wants to know: logs, metrics, pages that follow along. */

import type { Grant } from "../policy/index.ts";
import type { LogLevel } from "../sandbox/index.ts";
import type { ConsentRequest } from "./consent/asker.ts";
import type { LifeEvent, State } from "./life/life.ts";
import type { PublisherChange } from "./signer.ts";
import type { Operation } from "./store/entry.ts";
import type { Recovered } from "./store/recover.ts";

/** Plain data: nothing in it is a secret, and whatever a stranger wrote is still as it was written. */
export type ManagerEvent = { readonly atMs: number; readonly plugin: string } & (
  | { readonly kind: "state"; readonly from: State; readonly event: LifeEvent; readonly to: State }
  /** A version was made, or could not be: for a start, a change, a reload, or one more try. */
  | {
      readonly kind: "prepared";
      readonly version: string;
      readonly tookMs: number;
      /** Why it could not be. */
      readonly code?: string;
    }
  /** An operation took over. `from` is empty for an install; `to` for a removal, and `origin`, which is that of `to`. */
  | {
      readonly kind: "changed";
      readonly operation: Operation;
      readonly from: string;
      readonly to: string;
      readonly origin: string;
    }
  /** An operation was begun and did not take over: what ran goes on. `code` says at which step. */
  | {
      readonly kind: "failed";
      readonly operation: Operation;
      readonly from: string;
      readonly to: string;
      readonly code: string;
      readonly reason: string;
    }
  /** A new version failed and the one before it runs again. */
  | {
      readonly kind: "returned";
      readonly from: string;
      readonly to: string;
      readonly code: string;
      readonly reason: string;
    }
  /** The same version was made anew: after a change of files, settings or grants, or because somebody said so. */
  | { readonly kind: "reloaded"; readonly version: string; readonly tookMs: number; readonly state: boolean }
  /** A call failed by fault of the guest. */
  | { readonly kind: "trap"; readonly version: string; readonly code: string; readonly reason: string }
  /** It could not be made, or does not answer: the supervisor tries again in `inMs`. */
  | { readonly kind: "waiting"; readonly inMs: number; readonly code: string; readonly reason: string }
  | { readonly kind: "held"; readonly request: ConsentRequest }
  /** A held version waits no more, and has not taken over: it was refused, or the one that runs was installed once more. */
  | {
      readonly kind: "refused" | "superseded";
      readonly version: string;
      readonly digest: string;
      readonly origin: string;
    }
  /**
   * This version is by another publisher than the one before: somebody accepted that, and it has yet to take over; or it was
   * kept and runs again.
   */
  | ({ readonly kind: "publisher"; readonly version: string } & PublisherChange)
  | { readonly kind: "granted" | "revoked"; readonly grants: readonly Grant[] }
  | { readonly kind: "settings" }
  | { readonly kind: "enabled" | "disabled" }
  | { readonly kind: "log"; readonly level: LogLevel; readonly text: string }
  | ({ readonly kind: "recovered" } & Omit<Recovered, "plugin">)
  /** Something could not be written down, subscribed to, taken from a watched file, or gone back to; the plugin goes on as it is. */
  | { readonly kind: "trouble"; readonly code: string; readonly reason: string }
);

/** What whoever tells it adds is which plugin and when. `Omit` of a union would keep what all its members share. */
export type EventWithoutPlace = ManagerEvent extends infer Event
  ? Event extends ManagerEvent
    ? Omit<Event, "plugin" | "atMs">
    : never
  : never;

export type ManagerListener = (event: ManagerEvent) => void;

export class ManagerEvents {
  readonly #listeners = new Set<ManagerListener>();
  /** By plugin: a version whose takeover is under way, and what waits until that is told. */
  readonly #held = new Map<string, { readonly version: string; readonly events: ManagerEvent[] }>();

  /**
   * Holds back that a version is followed by the one before: it serves, and may fail, before it is told to have taken over.
   *
   * @returns Tells it.
   */
  holdReturns(plugin: string, version: string): () => void {
    const events: ManagerEvent[] = [];
    this.#held.set(plugin, { version, events });
    return () => {
      this.#held.delete(plugin);
      for (const event of events) this.tell(event);
    };
  }

  /** @returns Ends it. */
  listen(listener: ManagerListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A listener that throws is its owner's mistake, and must not stop a plugin half-way: it is told later, by itself. */
  tell(event: ManagerEvent): void {
    const held = this.#held.get(event.plugin);
    if (event.kind === "returned" && event.from === held?.version) {
      held.events.push(event);
      return;
    }
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
