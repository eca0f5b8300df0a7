/** What the rest of the host knows of a peer, however it is connected. */

import type { RemoraError } from "remora/base";
import type { CotFormat, CotMessage } from "../cot/message.ts";

/** A peer that messages come from and go to: a stream over TCP or TLS, or a mesh of datagrams. */
export interface Connection {
  /** Unique in this process, and never used again. */
  readonly id: number;
  /** For people: what it is and who is at the other end, `tcp 192.0.2.7:51234`. */
  readonly name: string;
  readonly stats: Readonly<ConnectionStats>;
  readonly isOpen: boolean;
  /**
   * Queues a message, written in the form that the peer has agreed to. Never blocks and never throws.
   *
   * @returns False when it was dropped: the connection is closed, or its queue is full and keeps what is older.
   */
  send(message: CotMessage): boolean;
  /**
   * Closes it, after what is queued has been written or the peer has failed to read it; what the peer had sent by then is
   * taken.
   */
  close(): void;
}

/** Counted from when the connection opened. */
export interface ConnectionStats {
  messagesIn: number;
  bytesIn: number;
  /** Events that were bad and dropped, while the connection went on. */
  badEventsIn: number;
  messagesOut: number;
  bytesOut: number;
  /** Not sent, because the queue was full. */
  messagesDropped: number;
  queuedBytes: number;
  /** The form that messages to the peer are written in now. */
  format: CotFormat;
}

export function newStats(format: CotFormat): ConnectionStats {
  return {
    messagesIn: 0,
    bytesIn: 0,
    badEventsIn: 0,
    messagesOut: 0,
    bytesOut: 0,
    messagesDropped: 0,
    queuedBytes: 0,
    format,
  };
}

/** Called back, in the order of what happened. What they throw is a mistake of the host and is not caught. */
export interface ConnectionHandlers {
  onOpen?(connection: Connection): void;
  /**
   * Called while the bytes are being read, for each message: the hot path.
   *
   * @returns What to wait for before more is read, where the peer can be made to wait.
   */
  onMessage(message: CotMessage, connection: Connection): void | Promise<void>;
  /** One event was dropped, in or out, and the connection goes on. */
  onBadEvent?(error: RemoraError, connection: Connection): void;
  /** With the reason, when it was not simply closed by one side. Follows every `onOpen`. */
  onClose?(connection: Connection, error: RemoraError | undefined): void;
}

let lastId = 0;

export function nextConnectionId(): number {
  lastId++;
  return lastId;
}

/** An address and a port, as in a URL. */
export function showAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
