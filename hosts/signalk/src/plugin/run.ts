/** What a plugin does from the end of its start until it is stopped: it takes deltas, is polled, serves endpoints and files. */

import type { Answer } from "remora/abi";
import type { Clock } from "../clock.ts";
import type { Published } from "../delta/published.ts";
import type { Session } from "../guest/session.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import type { StaticFiles } from "../http/static-folder.ts";
import type { ServerPort } from "../server-port.ts";
import type { Endpoint } from "./endpoints.ts";
import { startPolling } from "./polling.ts";
import { servedFiles } from "./public-files.ts";

export interface RunOptions {
  readonly plugin: string;
  readonly session: Session;
  readonly server: ServerPort;
  readonly clock: Clock;
  readonly endpoints: readonly Endpoint[];
  /** Of its package. */
  readonly publicFiles: StaticFiles | undefined;
  readonly onDelta: (published: Published) => void;
  readonly ask: (use: (guest: SignalkGuest) => Answer<unknown>) => Promise<unknown>;
}

export class Run {
  readonly endpoints: readonly Endpoint[];
  /** Those that it serves. */
  readonly files: StaticFiles | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(options: RunOptions) {
    const { plugin, session, server, clock, endpoints, publicFiles, onDelta, ask } = options;
    const { guest, sandbox } = session;
    this.endpoints = endpoints;
    this.files = publicFiles && servedFiles(plugin, session, publicFiles);
    if (guest.takeDelta !== undefined && sandbox.gate.has("data.read")) {
      this.#ends.push(server.onDelta(onDelta));
    }
    const { poll } = guest;
    if (poll !== undefined) this.#ends.push(startPolling(clock, () => ask(() => poll())));
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
