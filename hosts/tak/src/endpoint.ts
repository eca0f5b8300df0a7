/** A listener or server of the configuration while the host runs: who is connected over it, and what came and went. */

import type { RemoraError } from "remora/base";
import type { ListenerSettings, ServerSettings } from "./config/settings.ts";
import type { Outlet } from "./distribute.ts";
import type { Connection } from "./net/connection.ts";

export type EndpointKind = "listener" | "server";

export interface EndpointCounts {
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export const noCounts: EndpointCounts = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 };

export class Endpoint {
  readonly kind: EndpointKind;
  /** Whether it was added while the host ran: then it gets every message, and can change. */
  readonly isAdded: boolean;
  #settings: ListenerSettings | ServerSettings;
  readonly #open = new Set<Connection>();
  #past = noCounts;
  #openedAtMs: number | undefined;
  #failure: RemoraError | undefined;
  #isClosed = false;

  constructor(kind: EndpointKind, settings: ListenerSettings | ServerSettings, isAdded: boolean) {
    this.kind = kind;
    this.#settings = settings;
    this.isAdded = isAdded;
  }

  get settings(): ListenerSettings | ServerSettings {
    return this.#settings;
  }

  /** Nobody listens for it, since its address could not be had. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** When the newest of its connections was made, milliseconds since 1970. */
  get openedAtMs(): number | undefined {
    return this.#openedAtMs;
  }

  /** Why the last connection, or the last try, ended; undefined once one is there again. */
  get failure(): RemoraError | undefined {
    return this.#failure;
  }

  /** Whether it is one of its connections. */
  has(outlet: Outlet): boolean {
    return (this.#open as ReadonlySet<Outlet>).has(outlet);
  }

  /** Of all connections that it ever had. */
  counts(): EndpointCounts {
    return [...this.#open].reduce((sum, { stats }) => added(sum, stats), this.#past);
  }

  opened(connection: Connection): void {
    this.#open.add(connection);
    this.#openedAtMs = Date.now();
    this.#failure = undefined;
  }

  closed(connection: Connection, error: RemoraError | undefined): void {
    this.#open.delete(connection);
    this.#past = added(this.#past, connection.stats);
    this.#failure = error;
  }

  failed(error: RemoraError): void {
    this.#failure = error;
  }

  /** It was opened anew, with other settings. */
  changed(settings: ListenerSettings | ServerSettings): void {
    this.#settings = settings;
    this.#isClosed = false;
    this.#failure = undefined;
  }

  /** It could not be opened at all. */
  notOpened(error: RemoraError): void {
    this.#isClosed = true;
    this.#failure = error;
  }
}

export function added(
  sum: EndpointCounts,
  { messagesIn, messagesOut, bytesIn, bytesOut }: EndpointCounts,
): EndpointCounts {
  return {
    messagesIn: sum.messagesIn + messagesIn,
    messagesOut: sum.messagesOut + messagesOut,
    bytesIn: sum.bytesIn + bytesIn,
    bytesOut: sum.bytesOut + bytesOut,
  };
}
