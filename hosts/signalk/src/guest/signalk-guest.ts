/** A Signal K plugin that is loaded, whatever convention it keeps. */

import type { Answer } from "remora/abi";
import type { WorldUpdate } from "./inbox.ts";

export interface SignalkGuest {
  /** True after a failure, and when it was closed: nothing can be asked of it any more. */
  readonly isLost: boolean;
  /** True while it waits in the middle of a call; no other may be made. */
  readonly isWaiting: boolean;
  /** Of the last call. */
  readonly fuelUsed: number;
  /** As it calls itself; empty when it does not. */
  name(): string;
  /** JSON Schema of its configuration, as text. */
  schema(): string;
  /** @returns 0 when it started */
  start(configuration: string): Answer<number>;
  stop(): Answer<number>;
  /** Called once a second, where the guest has it. */
  readonly poll: (() => Answer<number>) | undefined;
  /** Gets every delta that the plugin wants, as JSON; where the guest has it. */
  readonly takeDelta: ((delta: string) => Answer<number>) | undefined;
  /** Gets what it subscribed to, where the guest is one that subscribes. */
  readonly takeUpdates?: (updates: readonly WorldUpdate[]) => Answer<number>;
  /** JSON list of `{method, path, handler}`; undefined when it serves none. */
  readonly endpoints: (() => string) | undefined;
  /** Whether it exports a handler. */
  has(handler: string): boolean;
  /** JSON in, JSON out: HTTP and provider handlers. */
  answer(handler: string, request: string): Answer<string>;
  /** A command to a path that the guest registered: JSON value in, JSON result out; undefined when it has no handler. */
  put(command: Command, value: string): Answer<string> | undefined;
  close(): void;
}

/** What a PUT is to. */
export interface Command {
  readonly context: string;
  readonly path: string;
}
