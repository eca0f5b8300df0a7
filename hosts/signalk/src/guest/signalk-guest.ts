/** A Signal K plugin that is loaded, whatever convention it keeps. */

import type { Answer, GuestText } from "remora/abi";
import type { EndpointResponse, MatchedRequest } from "../plugin/endpoints.ts";
import type { WorldUpdate } from "./inbox.ts";

export interface SignalkGuest {
  /** Behind a wall: each answer takes its way. */
  readonly isRemote: boolean;
  /** True after a failure, and when it was closed: nothing can be asked of it any more. */
  readonly isLost: boolean;
  /** True while it waits in the middle of a call; no other may be made. */
  readonly isWaiting: boolean;
  /** Of the last call; of all of them where it is remote. */
  readonly fuelUsed: number;
  /** As it calls itself; empty when it does not. */
  name(): Answer<string>;
  /** JSON Schema of its configuration, as text. */
  schema(): Answer<string>;
  /** @returns 0 when it started */
  start(configuration: string): Answer<number>;
  stop(): Answer<number>;
  /** Called once a second, where the guest has it. */
  readonly poll: (() => Answer<number>) | undefined;
  /** Gets every delta that the plugin wants, as JSON; where the guest has it. `startedMs`: what its clock says now, if that is known. */
  readonly takeDelta: ((delta: GuestText, startedMs?: number) => Answer<number>) | undefined;
  /** Gets what it subscribed to, where the guest is one that subscribes. */
  readonly takeUpdates?: (updates: readonly WorldUpdate[]) => Answer<number>;
  /** Gets an event that it subscribed to, as JSON; where the guest has it. */
  readonly takeEvent: ((event: string) => Answer<number>) | undefined;
  /** JSON list of `{method, path, handler}`; undefined when it serves none. */
  readonly endpoints: (() => Answer<string>) | undefined;
  /**
   * Answers an HTTP request to one of its endpoints.
   *
   * @throws signalk/not-a-plugin it does not export the handler
   * @throws signalk/bad-answer   it gave no response
   */
  serve(request: MatchedRequest): Answer<EndpointResponse>;
  /** Asks a provider's handler: JSON in, JSON out. */
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
