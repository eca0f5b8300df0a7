/** Listens for peers over TCP or TLS, and makes a connection of each. */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from "node:tls";
import type { RemoraError } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import { type Connection, type ConnectionHandlers, showAddress } from "./connection.ts";
import { StreamConnection, type StreamOptions, streamOptions } from "./stream-connection.ts";

export interface StreamServerOptions extends Partial<StreamOptions> {
  /** An address of this machine; `127.0.0.1` by default, so that nobody else gets in without being asked. */
  readonly host?: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Key and certificate, and with `ca` those whose clients are let in. Plain TCP without. */
  readonly tls?: StreamServerTls;
  /** Connections at one time; more are closed at once. */
  readonly connectionsMax?: number;
}

export interface StreamServerTls {
  /** PEM. */
  readonly key: string | Buffer;
  /** PEM, with what leads to the root. */
  readonly cert: string | Buffer;
  /** PEM. Clients are asked for a certificate that one of these has signed. */
  readonly ca?: string | Buffer;
  /** Whether a client without such a certificate is refused. One with another is, in any case. Default: true. */
  readonly isClientRequired?: boolean;
}

export interface StreamServerHandlers extends ConnectionHandlers {
  /** A peer was not let in: too many are, or TLS failed. */
  onRefused?(error: RemoraError): void;
}

const CONNECTIONS_MAX = 1000;
const HANDSHAKE_MS_MAX = 10_000;

export class StreamServer {
  readonly name: string;
  readonly connections: ReadonlySet<Connection>;
  /** As it was bound. */
  readonly port: number;
  readonly #server: Server;
  readonly #whenEmpty: () => Promise<void>;

  private constructor(server: Server, open: OpenConnections, name: string, port: number) {
    this.#server = server;
    this.connections = open.connections;
    this.#whenEmpty = () => open.whenEmpty();
    this.name = name;
    this.port = port;
  }

  /**
   * Begins to listen.
   *
   * @throws tak/listen-failed the address is taken or not ours, or key and certificate are of no use
   */
  static async listen(options: StreamServerOptions, handlers: StreamServerHandlers): Promise<StreamServer> {
    const { host = "127.0.0.1", port, tls, connectionsMax = CONNECTIONS_MAX } = options;
    const scheme = tls === undefined ? "tcp" : "tls";
    const open = new OpenConnections(handlers);
    const whole = streamOptions(options);
    const accept = (socket: Socket) => {
      const name = `${scheme} ${showAddress(socket.remoteAddress ?? "?", socket.remotePort ?? 0)}`;
      const stranger = strangerIn(socket, tls);
      if (stranger !== undefined) {
        socket.destroy();
        handlers.onRefused?.(takErrors["tls-failed"]({ name, reason: stranger }));
        return;
      }
      new StreamConnection(socket, { role: "server", name }, open, whole).open();
    };
    const listenName = `${scheme} ${showAddress(host, port)}`;
    const server = createServerFor(tls, accept, listenName);
    server.maxConnections = connectionsMax;
    server.on("drop", (dropped) => {
      const refused = showAddress(dropped?.remoteAddress ?? "?", dropped?.remotePort ?? 0);
      handlers.onRefused?.(takErrors["connections-max"]({ name: listenName, max: connectionsMax, refused }));
    });
    server.on("tlsClientError", (error: Error, socket: Socket) => {
      const name = `${scheme} ${showAddress(socket.remoteAddress ?? "?", socket.remotePort ?? 0)}`;
      handlers.onRefused?.(takErrors["tls-failed"]({ name, reason: error.message }, error));
    });
    await started(server, { host, port, name: listenName });
    // A TCP server's address is never a path or null.
    const { port: boundPort } = server.address() as AddressInfo;
    return new StreamServer(server, open, `${scheme} ${showAddress(host, boundPort)}`, boundPort);
  }

  /** Takes no more connections; those that are open stay, and the port is free. */
  stopListening(): void {
    this.#server.close();
  }

  /** Takes no more connections, closes those that are open, and is done when all are. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.connections) connection.close();
    await closed;
    // The server's word may come before those of its last sockets.
    await this.#whenEmpty();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Keeps the set of a server's connections, between them and the host's handlers. */
class OpenConnections implements ConnectionHandlers {
  readonly connections = new Set<Connection>();
  readonly #handlers: ConnectionHandlers;
  #onEmpty: (() => void) | undefined;

  constructor(handlers: ConnectionHandlers) {
    this.#handlers = handlers;
  }

  onOpen(connection: Connection): void {
    this.connections.add(connection);
    this.#handlers.onOpen?.(connection);
  }

  onMessage(message: CotMessage, connection: Connection): void | Promise<void> {
    return this.#handlers.onMessage(message, connection);
  }

  onBadEvent(error: RemoraError, connection: Connection): void {
    this.#handlers.onBadEvent?.(error, connection);
  }

  onClose(connection: Connection, error: RemoraError | undefined): void {
    this.connections.delete(connection);
    this.#handlers.onClose?.(connection, error);
    if (this.connections.size === 0) this.#onEmpty?.();
  }

  async whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }
}

/** Why a client is none of ours: where a certificate is only asked for, one that nobody known has signed. */
function strangerIn(socket: Socket, tls: StreamServerTls | undefined): string | undefined {
  if (tls?.ca === undefined || !(socket instanceof TLSSocket) || socket.authorized) return undefined;
  const hasShown = Object.keys(socket.getPeerCertificate()).length > 0;
  return hasShown ? `its certificate is not valid here: ${socket.authorizationError}` : undefined;
}

function createServerFor(
  tls: StreamServerTls | undefined,
  accept: (socket: Socket) => void,
  name: string,
): Server {
  if (tls === undefined) return createServer(accept);
  const options: TlsOptions = {
    key: tls.key,
    cert: tls.cert,
    ca: tls.ca,
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: tls.ca !== undefined && (tls.isClientRequired ?? true),
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_MS_MAX,
  };
  try {
    return createTlsServer(options, accept);
  } catch (error) {
    throw takErrors["listen-failed"]({ name, reason: reasonOf(error) }, error);
  }
}

function started(server: Server, at: { host: string; port: number; name: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(takErrors["listen-failed"]({ name: at.name, reason: reasonOf(error) }, error));
    });
    server.listen({ host: at.host, port: at.port }, () => resolve());
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
