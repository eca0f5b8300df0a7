/**
 * A TCP connection that never blocks: one asks what there is, and can wait for a change. What nobody reads stays
 * with the sender, and what cannot be sent makes the writer wait, but for small buffers.
 */

import * as net from "node:net";
import type { SandboxLimits } from "../limits.ts";
import { Change } from "./change.ts";
import { type Endpoint, SocketError, type SocketProblem, socketProblemOf } from "./sockets.ts";
import type { Traffic } from "./traffic.ts";

/** Bytes that wait to be sent; beyond them the writer waits. */
const sendBytesMax = 65_536;

interface TcpOptions {
  readonly connectTimeMsMax: number;
  readonly isConnected: boolean;
  readonly traffic: Traffic;
  readonly onClose: () => void;
}

export class TcpConnection {
  readonly change = new Change();
  readonly #socket: net.Socket;
  readonly #traffic: Traffic;
  readonly #onClose: () => void;
  readonly #timer: NodeJS.Timeout;
  #problem: SocketProblem | undefined;
  #isConnected = false;
  #hasEnded = false;
  #isClosed = false;
  #isDeaf = false;

  private constructor(socket: net.Socket, options: TcpOptions) {
    this.#socket = socket;
    this.#traffic = options.traffic;
    this.#onClose = options.onClose;
    this.#isConnected = options.isConnected;
    this.#timer = setTimeout(() => this.#fail("timeout"), options.connectTimeMsMax);
    if (options.isConnected) clearTimeout(this.#timer);
    this.#socket.on("connect", () => {
      clearTimeout(this.#timer);
      this.#isConnected = true;
      this.change.signal();
    });
    this.#socket.on("readable", () => {
      if (this.#socket.readableLength === 0) this.#socket.read(0); // so that the end is told
      this.change.signal();
    });
    this.#socket.on("drain", () => this.change.signal());
    this.#socket.on("end", () => {
      this.#hasEnded = true;
      this.change.signal();
    });
    this.#socket.on("error", (error) => this.#fail(socketProblemOf(error)));
    this.#socket.on("close", () => {
      this.#hasEnded = true;
      this.change.signal();
    });
  }

  /** Starts a connection, from a port of ours when one is named. */
  static to(
    remote: Endpoint,
    options: Pick<TcpOptions, "traffic" | "onClose"> & {
      readonly local?: Endpoint;
      readonly limits: SandboxLimits;
    },
  ): TcpConnection {
    const { local, limits, traffic, onClose } = options;
    const socket = net.connect({
      host: remote.address, // in numbers: no name is looked up here
      port: remote.port,
      allowHalfOpen: true,
      ...(local !== undefined && { localAddress: local.address, localPort: local.port }),
    });
    const { connectTimeMsMax } = limits;
    return new TcpConnection(socket, { connectTimeMsMax, isConnected: false, traffic, onClose });
  }

  /** One that a listener has accepted. */
  static of(socket: net.Socket, options: Pick<TcpOptions, "traffic" | "onClose">): TcpConnection {
    return new TcpConnection(socket, { ...options, connectTimeMsMax: 0, isConnected: true });
  }

  /** Still on its way: neither connected nor failed. */
  get isConnecting(): boolean {
    return !this.#isConnected && this.#problem === undefined && !this.#isClosed;
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.#isClosed;
  }

  /** Why it failed, if it did. */
  get problem(): SocketProblem | undefined {
    return this.#problem;
  }

  /** Bytes that can be read now. */
  get readableBytes(): number {
    return this.#isClosed ? 0 : this.#socket.readableLength;
  }

  /** Whether reading would tell something: bytes, the end, or a failure. */
  get isReadable(): boolean {
    return (
      this.readableBytes > 0 ||
      this.#hasEnded ||
      this.#isDeaf ||
      this.#problem !== undefined ||
      this.#isClosed
    );
  }

  /**
   * Some bytes, none when there are none yet, "end" when there will be none.
   *
   * @throws SocketError it failed, or was taken away: what came before was not all that the peer sent
   */
  read(bytesMax: number): Uint8Array | "end" {
    if (this.#isDeaf) return "end";
    if (this.#isClosed) {
      // What had come is gone with it.
      if (this.#problem !== undefined) throw new SocketError(this.#problem);
      return "end";
    }
    const count = Math.min(bytesMax, this.#socket.readableLength);
    const bytes: Uint8Array | null = this.#socket.read(count);
    if (bytes !== null) {
      this.#traffic.receivedBytes += bytes.length;
      return new Uint8Array(bytes);
    }
    if (this.#problem !== undefined) throw new SocketError(this.#problem);
    return this.#hasEnded ? "end" : new Uint8Array(0);
  }

  /** Bytes that can be written now; 0 while others wait, "end" when nothing can be sent any more. */
  get room(): number | "end" {
    if (this.#isClosed || this.#problem !== undefined || !this.#socket.writable) return "end";
    return Math.max(0, sendBytesMax - this.#socket.writableLength);
  }

  /** @throws SocketError when the connection is gone, or `would-block` beyond `room`. */
  write(bytes: Uint8Array): void {
    const { room } = this;
    if (room === "end") throw new SocketError(this.#problem ?? "invalid-state");
    if (bytes.length > room) throw new SocketError("would-block");
    this.#traffic.sentBytes += bytes.length;
    this.#socket.write(bytes.slice()); // the guest's memory changes; sending may take its time
  }

  get isFlushed(): boolean {
    return this.room === "end" || this.#socket.writableLength === 0;
  }

  /** Sends no more; may still read. */
  end(): void {
    this.#socket.end();
  }

  /** Takes no more. What still comes stays with the peer: throwing it away would be work without end that it chooses. */
  endReading(): void {
    this.#isDeaf = true;
    this.#socket.read();
    this.change.signal();
  }

  /** Whether a connection without traffic is probed, and after how long. */
  keepAlive(isOn: boolean, idleMs: number): void {
    this.#socket.setKeepAlive(isOn, idleMs);
  }

  get local(): Endpoint | undefined {
    const { localAddress: address, localPort: port } = this.#socket;
    return address === undefined || port === undefined ? undefined : { address, port };
  }

  get remote(): Endpoint | undefined {
    const { remoteAddress: address, remotePort: port } = this.#socket;
    return address === undefined || port === undefined ? undefined : { address, port };
  }

  /** @param why What whoever still holds it is told. */
  close(why?: SocketProblem): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#problem ??= why;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#onClose();
    this.change.signal();
  }

  #fail(problem: SocketProblem): void {
    this.#problem ??= problem;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.change.signal();
  }
}
