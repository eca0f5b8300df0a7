/** What the host functions of one guest share: whose it is, what it may do, and what has to end with it. */

import type { GuestBytes } from "remora/abi";
import type { RemoraError } from "remora/base";
import type { Gate, Sandbox } from "remora/sandbox";
import type { ServerPort } from "../server-port.ts";
import type { SignalkGuest } from "./signalk-guest.ts";

export interface GuestHost {
  readonly plugin: string;
  readonly server: ServerPort;
  readonly sandbox: Sandbox;
  readonly gate: Gate;
  readonly settings: GuestSettings;
  readonly log: (level: "debug" | "warn" | "error", text: string) => void;
  /** Everything that the guest registered or opened; closed when it stops. */
  readonly holdings: Holdings;
  /** Asks the guest that runs then, in its turn: what a registered handler is called by. */
  readonly ask: <Result>(use: (guest: SignalkGuest) => Result | Promise<Result>) => Promise<Result>;
}

/** The functions of one import module; `bytes` is the memory of the guest that calls them. */
export interface GuestImports {
  readonly host: GuestHost;
  readonly bytes: GuestBytes;
  /** Ends the guest's call. */
  readonly abort: (error: RemoraError) => never;
}

export interface GuestSettings {
  /** The operator's configuration as JSON. */
  read(): string;
  /** False when it cannot be kept: no object, or too large. */
  save(configuration: string): boolean;
}

/** A list of things to let go of. The guest chooses how many it registers, so their number is bounded. */
export class Holdings {
  readonly #max: number;
  readonly #lasting: (() => void)[] = [];
  #ends: (() => void)[] = [];

  constructor(max = 256) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.#ends.length >= this.#max;
  }

  add(end: () => void): void {
    this.#ends.push(end);
  }

  /** For what is made once and used again after a close: called at each of them. */
  addLasting(end: () => void): void {
    this.#lasting.push(end);
  }

  /** In reverse order: what was built on something goes before it. A guest that starts again begins with nothing. */
  close(): void {
    for (const end of this.#ends.splice(0).reverse()) end();
    for (const end of this.#lasting) end();
  }
}
