/**
 * `wasi:sockets` 0.2: TCP and UDP in both directions, and names. Options that Node does not have say so with
 * `not-supported`. https://github.com/WebAssembly/WASI 0.2, proposals/sockets.
 */

import { ComponentError } from "../../component/index.ts";
import type { Machine } from "../machine/machine.ts";
import { Change } from "../net/change.ts";
import { isSocketProblem, SocketError, type SocketProblem } from "../net/sockets.ts";
import { Held } from "./held.ts";
import { type IpAddress, type IpFamily, ipAddressOf } from "./network-addresses.ts";
import { Pollable } from "./poll.ts";
import { inCodes, Network } from "./socket-terms.ts";
import { type IoError, StreamFailure } from "./streams.ts";
import { TcpSocket } from "./tcp-socket.ts";
import { IncomingDatagramStream, OutgoingDatagramStream, UdpSocket } from "./udp-socket.ts";

/** The resource `resolve-address-stream`. */
export class ResolveAddressStream extends Held {
  readonly #change = new Change();
  readonly #name: string;
  readonly #narrowings: number;
  #found: string[] | undefined;
  #problem: string | undefined;

  constructor(machine: Machine, name: string) {
    super(machine);
    this.#name = name;
    this.#narrowings = machine.shared.gate.narrowings;
    const settled = machine.shared.sockets.lookUp(name).then(
      (addresses) => {
        this.#found = [...addresses];
      },
      (error: unknown) => {
        this.#problem = error instanceof SocketError ? error.problem : "unknown";
      },
    );
    settled.then(() => this.#change.signal());
  }

  resolveNextAddress(): IpAddress | undefined {
    const { gate, sockets } = this.machine.shared;
    if (gate.narrowings !== this.#narrowings) inCodes(() => sockets.checkName(this.#name));
    if (this.#problem !== undefined) throw new ComponentError(this.#problem);
    if (this.#found === undefined) throw new ComponentError("would-block");
    const next = this.#found.shift();
    return next === undefined ? undefined : ipAddressOf(next);
  }

  subscribe(): Pollable {
    return new Pollable(this.machine, {
      kind: "event",
      isReady: () => this.#found !== undefined || this.#problem !== undefined,
      change: () => this.#change,
    });
  }
}

export const socketInterfaces = {
  network: () => ({
    Network,
    networkErrorCode: ({ cause }: IoError): SocketProblem | undefined => {
      // Streams of sockets fail with such a code; those of files and bodies with something else.
      const reason = cause instanceof StreamFailure ? cause.reason : undefined;
      return isSocketProblem(reason) ? reason : undefined;
    },
  }),
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
