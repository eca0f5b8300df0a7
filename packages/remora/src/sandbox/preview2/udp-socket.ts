/** `wasi:sockets/udp` 0.2. https://github.com/WebAssembly/WASI 0.2, proposals/sockets. */

import { ComponentError } from "../../component/index.ts";
import type { Machine } from "../machine/machine.ts";
import { type Endpoint, SocketError } from "../net/sockets.ts";
import type { UdpPort } from "../net/udp.ts";
import { Held } from "./held.ts";
import { endpointOf, type IpFamily, type IpSocketAddress, socketAddressOf } from "./network-addresses.ts";
import { type Awaited, Pollable } from "./poll.ts";
import { checkPositive, inCodes, type Network } from "./socket-terms.ts";

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

  unicastHopLimit(): number {
    return this.#port.hopLimit;
  }

  setUnicastHopLimit(value: number): void {
    checkPositive(value);
    this.#port.hopLimit = value;
  }

  receiveBufferSize(): bigint {
    return BigInt(this.#port.receiveBufferBytes);
  }

  /** The host's queue, which is bounded and cannot be chosen: any wish is clamped to it, as the interface allows. */
  setReceiveBufferSize(value: bigint): void {
    checkPositive(value);
  }

  sendBufferSize(): bigint {
    return BigInt(this.#port.sendBufferBytes);
  }

  setSendBufferSize(value: bigint): void {
    checkPositive(value);
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#port.state !== "binding" || this.#port.problem !== undefined,
      change: () => this.#port.change,
    });
  }

  override close(): void {
    super.close();
    this.#port.close();
  }
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

function awaitedOf(socket: UdpPort, isReady: () => boolean): Awaited {
  return {
    kind: "event",
    isReady: () => isReady() || socket.problem !== undefined,
    change: () => socket.change,
  };
}

function isSame(one: Endpoint, two: Endpoint): boolean {
  return one.address === two.address && one.port === two.port;
}
