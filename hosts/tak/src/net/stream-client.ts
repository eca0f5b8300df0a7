/** Keeps one connection to a server over TCP or TLS: connects, and when that fails or breaks tries again, ever later. */

import { randomInt } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { RemoraError } from "remora/base";
import { reasonOf, takErrors } from "../errors.ts";
import { BackOff, type BackOffOptions, backOffDefault } from "./back-off.ts";
import { type Connection, type ConnectionHandlers, showAddress } from "./connection.ts";
import { StreamConnection, type StreamOptions, streamOptions } from "./stream-connection.ts";

export interface StreamClientOptions extends Partial<StreamOptions> {
  readonly host: string;
  readonly port: number;
  /** With TLS; plain TCP without. */
  readonly tls?: StreamClientTls;
  /** Milliseconds in which the server has to answer, TLS included. */
  readonly connectMsMax?: number;
  /** How it is connected to again; `never` for one connection and no other. */
  readonly backOff?: BackOffOptions | "never";
  /** From 0 to below 1. */
  readonly random?: () => number;
}

export interface StreamClientTls {
  /** PEM: who may have signed the server's certificate; the public ones by default. */
  readonly ca?: string | Buffer;
  /** PEM: our own key and certificate, for a server that asks for them. */
  readonly key?: string | Buffer;
  readonly cert?: string | Buffer;
  /** The name that the server's certificate must have; the host by default. */
  readonly serverName?: string;
  /** False takes any certificate, and with it anybody: for tests and for servers that sign their own. Default: true. */
  readonly isServerVerified?: boolean;
}

export interface StreamClientHandlers extends ConnectionHandlers {
  /** A try failed; the next is scheduled, if there is to be one. */
  onConnectFailed?(error: RemoraError): void;
}

/** From 0 to below 1. */
const unpredictable = () => randomInt(2 ** 32) / 2 ** 32;

const CONNECT_MS_MAX = 10_000;
// A connection that lasted so long was a success; one that broke at once is a failure like any other.
const STABLE_MS = 10_000;

export class StreamClient {
  readonly name: string;
  readonly #options: StreamClientOptions;
  readonly #handlers: StreamClientHandlers;
  readonly #stream: StreamOptions;
  readonly #backOff: BackOff;
  #connection: Connection | undefined;
  #pending: Socket | undefined;
  #cancelRetry: () => void = () => {};
  #isClosed = false;
  #whenClosed: (() => void) | undefined;

  private constructor(options: StreamClientOptions, handlers: StreamClientHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#stream = streamOptions(options);
    const { backOff = backOffDefault, random = unpredictable } = options;
    this.#backOff = new BackOff(backOff === "never" ? { ...backOffDefault, triesMax: 0 } : backOff, random);
    this.name = `${options.tls === undefined ? "tcp" : "tls"} ${showAddress(options.host, options.port)}`;
  }

  /** Begins to connect, and keeps at it until it is closed. */
  static start(options: StreamClientOptions, handlers: StreamClientHandlers): StreamClient {
    const client = new StreamClient(options, handlers);
    client.#connect();
    return client;
  }

  /** The connection while there is one. Each that follows is another, with numbers of its own. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Stops trying, closes the connection, and is done when it is closed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry();
    this.#pending?.destroy();
    const connection = this.#connection;
    if (connection === undefined) return;
    await new Promise<void>((resolve) => {
      this.#whenClosed = resolve;
      connection.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connect(): void {
    const socket = this.#openSocket();
    this.#pending = socket;
    const { connectMsMax = CONNECT_MS_MAX } = this.#options;
    const cancelTimeout = this.#stream.clock.after(connectMsMax, () => {
      socket.destroy(new Error(`No answer within ${connectMsMax} ms`));
    });
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    const onClose = () => {
      cancelTimeout();
      this.#pending = undefined;
      this.#retry(failure);
    };
    socket.once("close", onClose);
    socket.once(this.#options.tls === undefined ? "connect" : "secureConnect", () => {
      cancelTimeout();
      this.#pending = undefined;
      socket.off("close", onClose);
      this.#take(socket);
    });
  }

  #openSocket(): Socket {
    const { host, port, tls } = this.#options;
    if (tls === undefined) return connectTcp({ host, port });
    // An address is no name that SNI could carry (RFC 6066 §3).
    const name = tls.serverName ?? (isIP(host) === 0 ? host : undefined);
    const options: ConnectionOptions = {
      host,
      port,
      minVersion: "TLSv1.2",
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(name === undefined ? {} : { servername: name }),
      rejectUnauthorized: tls.isServerVerified ?? true,
    };
    return connectTls(options);
  }

  #take(socket: Socket): void {
    const openedMs = this.#stream.clock.nowMs();
    const handlers: ConnectionHandlers = {
      onOpen: (opened) => this.#handlers.onOpen?.(opened),
      onMessage: (message, from) => this.#handlers.onMessage(message, from),
      onBadEvent: (error, from) => this.#handlers.onBadEvent?.(error, from),
      onClose: (connection, error) => {
        this.#connection = undefined;
        if (this.#stream.clock.nowMs() - openedMs >= STABLE_MS) this.#backOff.reset();
        this.#handlers.onClose?.(connection, error);
        this.#whenClosed?.();
        this.#retry(undefined);
      },
    };
    const connection = new StreamConnection(
      socket,
      { role: "client", name: this.name },
      handlers,
      this.#stream,
    );
    this.#connection = connection;
    connection.open();
  }

  /** @param failure Why there was no connection; undefined when there was one, whose end was told already. */
  #retry(failure: Error | undefined): void {
    if (this.#isClosed) return;
    const attempt = this.#backOff.failures + 1;
    const nextInMs = this.#backOff.nextMs();
    if (failure !== undefined) {
      this.#handlers.onConnectFailed?.(
        takErrors["connect-failed"](
          { name: this.name, attempt, nextInMs, reason: reasonOf(failure) },
          failure,
        ),
      );
    }
    if (nextInMs !== undefined) {
      this.#cancelRetry = this.#stream.clock.after(nextInMs, () => this.#connect());
    }
  }
}
