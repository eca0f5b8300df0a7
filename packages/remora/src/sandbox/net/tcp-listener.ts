/**
 * A port that takes TCP connections, and never blocks. What nobody accepts waits in a bounded queue; a peer beyond it is
 * turned away, so that strangers on the network cannot make the host hold more.
 */

import * as net from "node:net";
import type { SandboxLimits } from "../limits.ts";
import { Change } from "./change.ts";
import { type Endpoint, SocketError, type SocketProblem, socketProblemOf } from "./sockets.ts";
import { TcpConnection } from "./tcp.ts";
import type { Traffic } from "./traffic.ts";

export interface TcpListenerOptions {
  readonly local: Endpoint;
  readonly limits: SandboxLimits;
  readonly traffic: Traffic;
  /** Counts a connection among the plugin's sockets; throws when it is one too many. */
  readonly hold: (open: (onClose: () => void) => TcpConnection) => TcpConnection;
  readonly onClose: () => void;
}

export class TcpListener {
  readonly change = new Change();
  readonly #options: TcpListenerOptions;
  readonly #server: net.Server;
  readonly #waiting: net.Socket[] = [];
  #state: "binding" | "bound" | "closed" = "binding";
  #problem: SocketProblem | undefined;
  #turnedAwayCount = 0;

  constructor(options: TcpListenerOptions) {
    const { address, port } = options.local;
    this.#options = options;
    this.#server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    this.#server.on("connection", (socket) => this.#arrived(socket));
    this.#server.on("listening", () => {
      if (this.#state === "binding") this.#state = "bound";
      this.change.signal();
    });
    this.#server.on("error", (error) => {
      this.#problem ??= socketProblemOf(error);
      this.change.signal();
    });
    this.#server.listen({ host: address, port, exclusive: true, ipv6Only: net.isIPv6(address) });
  }

  get state(): "binding" | "bound" | "closed" {
    return this.#state;
  }

  /** Why it failed, if it did. */
  get problem(): SocketProblem | undefined {
    return this.#problem;
  }

  get local(): Endpoint | undefined {
    // It listens on TCP, where the system's address has this form.
    return this.#state === "bound" ? (this.#server.address() as net.AddressInfo) : undefined;
  }

  /** Connections that wait to be accepted. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Peers that were turned away, since too many waited. */
  get turnedAwayCount(): number {
    return this.#turnedAwayCount;
  }

  /** The next connection. @throws SocketError `would-block`, or `new-socket-limit` when it stays waiting. */
  accept(): TcpConnection {
    if (this.#problem !== undefined) throw new SocketError(this.#problem);
    const [socket] = this.#waiting;
    if (socket === undefined) throw new SocketError("would-block");
    return this.#options.hold((onClose) => {
      this.#waiting.shift();
      socket.removeAllListeners();
      return TcpConnection.of(socket, { traffic: this.#options.traffic, onClose });
    });
  }

  /** @param why What whoever still holds it is told. */
  close(why?: SocketProblem): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#problem ??= why;
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    this.#server.close();
    this.#options.onClose();
    this.change.signal();
  }

  #arrived(socket: net.Socket): void {
    if (this.#state !== "bound" || this.#waiting.length >= this.#options.limits.connectionsWaitingMax) {
      this.#turnedAwayCount++;
      socket.destroy();
      return;
    }
    const gone = (): void => {
      const index = this.#waiting.indexOf(socket);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
    socket.on("error", gone).on("close", gone);
    this.#waiting.push(socket);
    this.change.signal();
  }
}
