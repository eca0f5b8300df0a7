/**
 * `wasi:sockets` 0.2: outgoing TCP, UDP in both directions, and names. Listening for TCP connections is not
 * supported, nor are options that Node does not have: both say so with `not-supported`.
 * https://github.com/WebAssembly/WASI 0.2, proposals/sockets.
 */

import { ComponentError } from "../../component/index.ts";
import type { Machine } from "../machine/machine.ts";
import { type Endpoint, SocketError } from "../net/sockets.ts";
import type { TcpConnection } from "../net/tcp.ts";
import type { UdpPort } from "../net/udp.ts";
import { Held } from "./held.ts";
import {
  endpointOf,
  type IpAddress,
  type IpFamily,
  type IpSocketAddress,
  ipAddressOf,
  socketAddressOf,
} from "./network-addresses.ts";
import { type Awaited, Pollable } from "./poll.ts";
import { InputStream, OutputStream, StreamFailure } from "./streams.ts";

/** The resource `network`: it stands for what is granted, and holds nothing. */
export class Network {}

/** The resource `resolve-address-stream`. */
export class ResolveAddressStream extends Held {
  readonly #settled: Promise<void>;
  #found: string[] | undefined;
  #problem: string | undefined;

  constructor(machine: Machine, name: string) {
    super(machine);
    this.#settled = machine.shared.sockets.lookUp(name).then(
      (addresses) => {
        this.#found = [...addresses];
      },
      (error: unknown) => {
        this.#problem = error instanceof SocketError ? error.problem : "unknown";
      },
    );
  }

  resolveNextAddress(): IpAddress | undefined {
    if (this.#problem !== undefined) throw new ComponentError(this.#problem);
    if (this.#found === undefined) throw new ComponentError("would-block");
    const next = this.#found.shift();
    return next === undefined ? undefined : ipAddressOf(next);
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#found !== undefined || this.#problem !== undefined,
      settled: () => this.#settled,
    });
  }
}

/** The resource `tcp-socket`. */
export class TcpSocket extends Held {
  readonly #family: IpFamily;
  #connection: TcpConnection | undefined;
  #remote: Endpoint | undefined;
  #hasStreams = false;
  #keepsAlive = false;

  constructor(machine: Machine, family: IpFamily) {
    super(machine);
    this.#family = family;
  }

  startConnect(_network: Network, remote: IpSocketAddress): void {
    if (this.#connection !== undefined) throw new ComponentError("invalid-state");
    if (remote.tag !== this.#family) throw new ComponentError("invalid-argument");
    const endpoint = endpointOf(remote);
    this.#connection = inCodes(() => this.machine.shared.sockets.connectTcp(endpoint));
    this.#connection.keepsAlive = this.#keepsAlive;
    this.#remote = endpoint;
  }

  finishConnect(): [InputStream, OutputStream] {
    const connection = this.#connection;
    if (connection === undefined || this.#hasStreams) throw new ComponentError("not-in-progress");
    if (connection.problem !== undefined) throw new ComponentError(connection.problem);
    if (!connection.isConnected) throw new ComponentError("would-block");
    this.#hasStreams = true;
    return streamsOf(this.machine, connection);
  }

  startBind(): void {
    throw new ComponentError("not-supported");
  }

  finishBind(): void {
    throw new ComponentError("not-in-progress");
  }

  startListen(): void {
    throw new ComponentError("not-supported");
  }

  finishListen(): void {
    throw new ComponentError("not-in-progress");
  }

  accept(): never {
    throw new ComponentError("invalid-state");
  }

  localAddress(): IpSocketAddress {
    const local = this.#connection?.local;
    if (local === undefined) throw new ComponentError("invalid-state");
    return socketAddressOf(local);
  }

  remoteAddress(): IpSocketAddress {
    if (this.#remote === undefined || this.#connection?.isConnected !== true) {
      throw new ComponentError("invalid-state");
    }
    return socketAddressOf(this.#remote);
  }

  isListening(): boolean {
    return false;
  }

  addressFamily(): IpFamily {
    return this.#family;
  }

  keepAliveEnabled(): boolean {
    return this.#keepsAlive;
  }

  setKeepAliveEnabled(value: boolean): void {
    this.#keepsAlive = value;
    if (this.#connection !== undefined) this.#connection.keepsAlive = value;
  }

  subscribe(): Pollable {
    const connection = this.#connection;
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => connection === undefined || !connection.isConnecting,
      settled: () => connection?.change.next() ?? Promise.resolve(),
    });
  }

  shutdown(kind: "receive" | "send" | "both"): void {
    if (this.#connection?.isConnected !== true) throw new ComponentError("invalid-state");
    if (kind === "receive") throw new ComponentError("not-supported");
    this.#connection.end();
  }

  override close(): void {
    super.close();
    this.#connection?.close();
  }
}

/** The resource `udp-socket`. */
export class UdpSocket extends Held {
  readonly #port: UdpPort;
  #isBinding = false;
  #remote: Endpoint | undefined;

  constructor(machine: Machine, family: IpFamily) {
    super(machine);
    try {
      this.#port = machine.shared.sockets.openUdp(family);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  startBind(_network: Network, local: IpSocketAddress): void {
    inCodes(() => this.#port.bind(endpointOf(local)));
    this.#isBinding = true;
  }

  finishBind(): void {
    if (!this.#isBinding) throw new ComponentError("not-in-progress");
    if (this.#port.problem !== undefined) throw new ComponentError(this.#port.problem);
    if (this.#port.state !== "bound") throw new ComponentError("would-block");
    this.#isBinding = false;
  }

  stream(remote: IpSocketAddress | undefined): [IncomingDatagramStream, OutgoingDatagramStream] {
    if (this.#isBinding) throw new ComponentError("invalid-state");
    this.#remote = remote === undefined ? undefined : endpointOf(remote);
    const fixed = this.#remote;
    return [
      new IncomingDatagramStream(this.machine, this.#port, fixed),
      new OutgoingDatagramStream(this.machine, this.#port, fixed),
    ];
  }

  localAddress(): IpSocketAddress {
    const { local } = this.#port;
    if (local === undefined) throw new ComponentError("invalid-state");
    return socketAddressOf(local);
  }

  remoteAddress(): IpSocketAddress {
    if (this.#remote === undefined) throw new ComponentError("invalid-state");
    return socketAddressOf(this.#remote);
  }

  addressFamily(): IpFamily {
    return this.#port.family;
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#port.state !== "binding" || this.#port.problem !== undefined,
      settled: () => this.#port.change.next(),
    });
  }

  override close(): void {
    super.close();
    this.#port.close();
  }
}

/** Options of sockets that Node does not have: they say so. Those of both kinds of sockets, by their names. */
const unsupported = [
  "setListenBacklogSize",
  "keepAliveIdleTime",
  "setKeepAliveIdleTime",
  "keepAliveInterval",
  "setKeepAliveInterval",
  "keepAliveCount",
  "setKeepAliveCount",
  "hopLimit",
  "setHopLimit",
  "unicastHopLimit",
  "setUnicastHopLimit",
  "receiveBufferSize",
  "setReceiveBufferSize",
  "sendBufferSize",
  "setSendBufferSize",
];

for (const name of unsupported) {
  const value = (): never => {
    throw new ComponentError("not-supported");
  };
  for (const Class of [TcpSocket, UdpSocket]) Object.defineProperty(Class.prototype, name, { value });
}

/** The resource `incoming-datagram-stream`. */
export class IncomingDatagramStream extends Held {
  readonly #port: UdpPort;
  readonly #remote: Endpoint | undefined;

  constructor(machine: Machine, port: UdpPort, remote: Endpoint | undefined) {
    super(machine);
    this.#port = port;
    this.#remote = remote === undefined ? undefined : endpointOf(socketAddressOf(remote));
  }

  receive(resultsMax: bigint): { data: Uint8Array; remoteAddress: IpSocketAddress }[] {
    if (this.#port.problem !== undefined) throw new ComponentError(this.#port.problem);
    const found: { data: Uint8Array; remoteAddress: IpSocketAddress }[] = [];
    while (BigInt(found.length) < resultsMax) {
      const datagram = this.#port.receive();
      if (datagram === undefined) break;
      const remoteAddress = socketAddressOf(datagram.remote);
      if (this.#remote !== undefined && !isSame(endpointOf(remoteAddress), this.#remote)) continue;
      found.push({ data: datagram.data, remoteAddress });
    }
    return found;
  }

  subscribe(): Pollable {
    return new Pollable(
      this.machine,
      awaitedOf(this.#port, () => this.#port.pendingCount > 0),
    );
  }
}

/** The resource `outgoing-datagram-stream`. */
export class OutgoingDatagramStream extends Held {
  readonly #port: UdpPort;
  readonly #remote: Endpoint | undefined;
  #permitted = 0;

  constructor(machine: Machine, port: UdpPort, remote: Endpoint | undefined) {
    super(machine);
    this.#port = port;
    this.#remote = remote;
  }

  checkSend(): bigint {
    if (this.#port.problem !== undefined) throw new ComponentError(this.#port.problem);
    this.#permitted = this.#port.room;
    return BigInt(this.#permitted);
  }

  /** How many were sent; a failure of the first is an error, of a later one it ends the list. */
  send(datagrams: readonly { data: Uint8Array; remoteAddress: IpSocketAddress | undefined }[]): bigint {
    // The interface makes it a trap to send more than was permitted.
    if (datagrams.length > this.#permitted) this.machine.exceeded("datagramsMax");
    let sent = 0;
    for (const { data, remoteAddress } of datagrams) {
      const remote = remoteAddress === undefined ? this.#remote : endpointOf(remoteAddress);
      try {
        if (remote === undefined) throw new SocketError("invalid-argument");
        if (this.#remote !== undefined && !isSame(remote, this.#remote))
          throw new SocketError("invalid-argument");
        this.#port.send(data, remote);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        if (sent === 0) throw new ComponentError(error.problem);
        break;
      }
      sent++;
      this.#permitted--;
    }
    return BigInt(sent);
  }

  subscribe(): Pollable {
    return new Pollable(
      this.machine,
      awaitedOf(this.#port, () => this.#port.room > 0),
    );
  }
}

export const socketInterfaces = {
  network: () => ({ Network }),
  instanceNetwork: () => ({ instanceNetwork: () => new Network() }),
  ipNameLookup: (machine: Machine) => ({
    ResolveAddressStream,
    resolveAddresses: (_network: Network, name: string) => {
      if (!/^[A-Za-z0-9_.-]{1,253}$/.test(name)) throw new ComponentError("invalid-argument");
      return new ResolveAddressStream(machine, name);
    },
  }),
  tcp: () => ({ TcpSocket }),
  tcpCreateSocket: (machine: Machine) => ({
    createTcpSocket: (family: IpFamily) => new TcpSocket(machine, family),
  }),
  udp: () => ({ UdpSocket, IncomingDatagramStream, OutgoingDatagramStream }),
  udpCreateSocket: (machine: Machine) => ({
    createUdpSocket: (family: IpFamily) => inCodes(() => new UdpSocket(machine, family)),
  }),
};

function streamsOf(machine: Machine, connection: TcpConnection): [InputStream, OutputStream] {
  const input = new InputStream(machine, {
    read: (bytesMax) => inFailures(() => connection.read(bytesMax)),
    awaited: awaitedOf(connection, () => connection.isReadable),
    close: () => {},
  });
  const output = new OutputStream(machine, {
    room: () => connection.room,
    write: (bytes) => inFailures(() => connection.write(bytes)),
    isFlushed: () => connection.isFlushed,
    awaited: awaitedOf(connection, () => connection.room !== 0),
    close: () => connection.end(),
  });
  return [input, output];
}

function awaitedOf(socket: TcpConnection | UdpPort, isReady: () => boolean): Awaited {
  return {
    kind: "event",
    isReady: () => isReady() || socket.problem !== undefined,
    settled: () => socket.change.next(),
  };
}

function isSame(one: Endpoint, two: Endpoint): boolean {
  return one.address === two.address && one.port === two.port;
}

function inCodes<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof SocketError ? new ComponentError(error.problem) : error;
  }
}

function inFailures<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw error instanceof SocketError ? new StreamFailure(error.problem, error.problem) : error;
  }
}
