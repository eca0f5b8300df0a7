/** `wasi:sockets/tcp` 0.2. https://github.com/WebAssembly/WASI 0.2, proposals/sockets. */

import { ComponentError } from "../../component/index.ts";
import type { Machine } from "../machine/machine.ts";
import { Change } from "../net/change.ts";
import type { TcpConnection } from "../net/tcp.ts";
import type { TcpListener } from "../net/tcp-listener.ts";
import { Held } from "./held.ts";
import { endpointOf, type IpFamily, type IpSocketAddress, socketAddressOf } from "./network-addresses.ts";
import { type Awaited, Pollable } from "./poll.ts";
import { checkPositive, inCodes, inFailures, type Network, notSupported } from "./socket-terms.ts";
import { InputStream, OutputStream } from "./streams.ts";

/**
 * What the interface calls the states of a socket. Node binds and listens in one step, which happens when the guest
 * binds: peers that come before it listens wait, as they would a moment later.
 */
type TcpState =
  | { readonly kind: "unbound" }
  | { readonly kind: "binding" | "bound" | "starting" | "listening"; readonly listener: TcpListener }
  | { readonly kind: "connecting" | "connected"; readonly connection: TcpConnection };

/** What Node keeps of either direction at most, but for one piece. */
const bufferBytes = 65_536n;

/** Of the time before a connection without traffic is probed. */
const idleBoundsMs = { min: 1_000, max: 86_400_000 };

/** The resource `tcp-socket`. */
export class TcpSocket extends Held {
  readonly #family: IpFamily;
  #state: TcpState = { kind: "unbound" };
  #keepsAlive = false;
  #idleMs = 7_200_000; // as Linux

  constructor(machine: Machine, family: IpFamily) {
    super(machine);
    this.#family = family;
  }

  startBind(_network: Network, local: IpSocketAddress): void {
    if (this.#state.kind !== "unbound") throw new ComponentError("invalid-state");
    this.#checkFamily(local);
    const listener = inCodes(() => this.machine.shared.sockets.listenTcp(endpointOf(local)));
    this.#state = { kind: "binding", listener };
  }

  finishBind(): void {
    if (this.#state.kind !== "binding") throw new ComponentError("not-in-progress");
    const { listener } = this.#state;
    if (listener.problem !== undefined) throw new ComponentError(listener.problem);
    if (listener.state !== "bound") throw new ComponentError("would-block");
    this.#state = { kind: "bound", listener };
  }

  startConnect(_network: Network, remote: IpSocketAddress): void {
    if (this.#state.kind !== "unbound" && this.#state.kind !== "bound") {
      throw new ComponentError("invalid-state");
    }
    this.#checkFamily(remote);
    const local = this.#state.kind === "bound" ? this.#state.listener.local : undefined;
    if (this.#state.kind === "bound") this.#state.listener.close();
    const connection = inCodes(() => this.machine.shared.sockets.connectTcp(endpointOf(remote), local));
    this.#state = { kind: "connecting", connection };
    this.#applyKeepAlive();
  }

  finishConnect(): [InputStream, OutputStream] {
    if (this.#state.kind !== "connecting") throw new ComponentError("not-in-progress");
    const { connection } = this.#state;
    if (connection.problem !== undefined) throw new ComponentError(connection.problem);
    if (!connection.isConnected) throw new ComponentError("would-block");
    this.#state = { kind: "connected", connection };
    return streamsOf(this.machine, connection);
  }

  startListen(): void {
    if (this.#state.kind !== "bound") throw new ComponentError("invalid-state");
    this.#state = { kind: "starting", listener: this.#state.listener };
  }

  finishListen(): void {
    if (this.#state.kind !== "starting") throw new ComponentError("not-in-progress");
    this.#state = { kind: "listening", listener: this.#state.listener };
  }

  accept(): [TcpSocket, InputStream, OutputStream] {
    if (this.#state.kind !== "listening") throw new ComponentError("invalid-state");
    const { listener } = this.#state;
    if (listener.waitingCount === 0) throw new ComponentError(listener.problem ?? "would-block");
    // Before the connection: there may be no handle left for it, which ends the instance.
    const socket = new TcpSocket(this.machine, this.#family);
    try {
      const connection = inCodes(() => listener.accept());
      socket.#keepsAlive = this.#keepsAlive;
      socket.#idleMs = this.#idleMs;
      socket.#state = { kind: "connected", connection };
      socket.#applyKeepAlive();
      return [socket, ...streamsOf(this.machine, connection)];
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  localAddress(): IpSocketAddress {
    const local = "listener" in this.#state ? this.#state.listener.local : this.#connection?.local;
    if (local === undefined) throw new ComponentError("invalid-state");
    return socketAddressOf(local);
  }

  remoteAddress(): IpSocketAddress {
    const remote = this.#state.kind === "connected" ? this.#state.connection.remote : undefined;
    if (remote === undefined) throw new ComponentError("invalid-state");
    return socketAddressOf(remote);
  }

  isListening(): boolean {
    return this.#state.kind === "listening";
  }

  addressFamily(): IpFamily {
    return this.#family;
  }

  /** A hint, as the interface has it; the host's queue is `connectionsWaitingMax` long. */
  setListenBacklogSize(value: bigint): void {
    checkPositive(value);
    if (this.#connection !== undefined) throw new ComponentError("invalid-state");
  }

  keepAliveEnabled(): boolean {
    return this.#keepsAlive;
  }

  setKeepAliveEnabled(value: boolean): void {
    this.#keepsAlive = value;
    this.#applyKeepAlive();
  }

  keepAliveIdleTime(): bigint {
    return BigInt(this.#idleMs) * 1_000_000n;
  }

  setKeepAliveIdleTime(ns: bigint): void {
    checkPositive(ns);
    const { min, max } = idleBoundsMs;
    this.#idleMs = Math.min(max, Math.max(min, Math.ceil(Number(ns) / 1e6)));
    this.#applyKeepAlive();
  }

  /** Node's buffers, which cannot be chosen: any wish is clamped to them, as the interface allows. */
  receiveBufferSize(): bigint {
    return bufferBytes;
  }

  setReceiveBufferSize(value: bigint): void {
    checkPositive(value);
  }

  sendBufferSize(): bigint {
    return bufferBytes;
  }

  setSendBufferSize(value: bigint): void {
    checkPositive(value);
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#isReady(),
      change: () => this.#waitedFor()?.change ?? new Change(), // unbound: always ready
    });
  }

  shutdown(kind: "receive" | "send" | "both"): void {
    if (this.#state.kind !== "connected") throw new ComponentError("invalid-state");
    if (kind !== "send") this.#state.connection.endReading();
    if (kind !== "receive") this.#state.connection.end();
  }

  override close(): void {
    super.close();
    this.#waitedFor()?.close();
  }

  get #connection(): TcpConnection | undefined {
    return "connection" in this.#state ? this.#state.connection : undefined;
  }

  #applyKeepAlive(): void {
    this.#connection?.keepAlive(this.#keepsAlive, this.#idleMs);
  }

  #waitedFor(): TcpListener | TcpConnection | undefined {
    return "listener" in this.#state ? this.#state.listener : this.#connection;
  }

  /** Whether the operation that was started, or `accept`, would not answer `would-block`. */
  #isReady(): boolean {
    const state = this.#state;
    switch (state.kind) {
      case "connecting":
        return !state.connection.isConnecting;
      case "binding":
        return state.listener.state === "bound" || state.listener.problem !== undefined;
      case "listening":
        return state.listener.waitingCount > 0 || state.listener.problem !== undefined;
      default:
        return true;
    }
  }

  #checkFamily({ tag }: IpSocketAddress): void {
    if (tag !== this.#family) throw new ComponentError("invalid-argument");
  }
}

/** Options that Node does not have: they say so. */
notSupported(TcpSocket, [
  "keepAliveInterval",
  "setKeepAliveInterval",
  "keepAliveCount",
  "setKeepAliveCount",
  "hopLimit",
  "setHopLimit",
]);

function streamsOf(machine: Machine, connection: TcpConnection): [InputStream, OutputStream] {
  const awaited = (isReady: () => boolean): Awaited => ({
    kind: "event",
    isReady: () => isReady() || connection.problem !== undefined,
    change: () => connection.change,
  });
  const input = new InputStream(machine, {
    read: (bytesMax) => inFailures(() => connection.read(bytesMax)),
    awaited: awaited(() => connection.isReadable),
    close: () => {},
  });
  const output = new OutputStream(machine, {
    room: () => connection.room,
    write: (bytes) => inFailures(() => connection.write(bytes)),
    isFlushed: () => connection.isFlushed,
    awaited: awaited(() => connection.room !== 0),
    close: () => connection.end(),
  });
  return [input, output];
}
