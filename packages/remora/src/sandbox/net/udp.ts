/** A UDP socket that never blocks. What is received waits in a bounded queue; what does not fit is lost, as in UDP. */

import * as dgram from "node:dgram";
import { isIP } from "node:net";
import type { SandboxLimits } from "../limits.ts";
import { canonicalAddress } from "./address.ts";
import { Change } from "./change.ts";
import { type Endpoint, type Passed, SocketError, type SocketProblem, socketProblemOf } from "./sockets.ts";
import type { Traffic } from "./traffic.ts";

export interface Datagram {
  readonly data: Uint8Array;
  readonly remote: Endpoint;
}

export interface UdpOptions {
  readonly family: "ipv4" | "ipv6";
  readonly limits: SandboxLimits;
  readonly traffic: Traffic;
  /** Passes the gate, or throws. @returns What passed. */
  readonly pass: (role: "connect" | "listen", endpoint: Endpoint) => Passed;
  readonly onClose: () => void;
}

/** Datagrams on their way out, peers that may answer, and addresses that are listened to: the guest chooses how many. */
const sendingMax = 64;
const peersMax = 1_024;
const listensMax = 1_024;

const defaultHopLimit = 64;

/** IPv4: 65,535 bytes with both headers. */
const datagramBytesMax = 65_507;

export class UdpPort {
  readonly change = new Change();
  readonly family: "ipv4" | "ipv6";
  readonly #options: UdpOptions;
  readonly #socket: dgram.Socket;
  readonly #received: Datagram[] = [];
  /** Who may answer, with what has passed for it: beyond the bound all are forgotten, since sending passes each time. */
  readonly #peers = new Map<string, Passed>();
  /** What has passed for listening, which it does once. */
  readonly #listens = new Map<string, Passed>();
  #receivedBytes = 0;
  #lostCount = 0;
  #sending = 0;
  #isGranted = false;
  #hopLimit = defaultHopLimit;
  #state: "new" | "binding" | "bound" | "closed" = "new";
  #problem: SocketProblem | undefined;

  constructor(options: UdpOptions) {
    this.family = options.family;
    this.#options = options;
    this.#socket = dgram.createSocket({
      type: options.family === "ipv4" ? "udp4" : "udp6",
      ipv6Only: options.family === "ipv6",
      // Only addresses in numbers come here.
      lookup: (address, _options, done) => done(null, address, isIP(address)),
    });
    this.#socket.on("message", (data, from) => this.#receive(data, from));
    this.#socket.on("listening", () => {
      if (this.#state === "binding") this.#state = "bound";
      if (this.#hopLimit !== defaultHopLimit) this.hopLimit = this.#hopLimit;
      this.change.signal();
    });
    this.#socket.on("error", (error) => {
      this.#problem ??= socketProblemOf(error);
      this.change.signal();
    });
  }

  /**
   * Something was taken: peers that are not given any more are forgotten, with what came from them.
   *
   * @returns Whether it goes on: all that it listens to is given, and it is not left without anyone.
   */
  keep(isGiven: (passed: Passed) => boolean): boolean {
    if (![...this.#listens.values()].every(isGiven)) return false;
    const lost = [...this.#peers].filter(([, passed]) => !isGiven(passed));
    for (const [peer] of lost) this.#peers.delete(peer);
    if (!this.#isGranted) {
      const kept = this.#received.filter(({ remote }) => this.#peers.has(peerOf(remote)));
      this.#received.splice(0, Infinity, ...kept);
      this.#receivedBytes = kept.reduce((bytes, { data }) => bytes + data.length, 0);
    }
    return lost.length === 0 || this.#peers.size + this.#listens.size > 0;
  }

  get state(): "new" | "binding" | "bound" | "closed" {
    return this.#state;
  }

  /** Why it failed, if it did. */
  get problem(): SocketProblem | undefined {
    return this.#problem;
  }

  /** Datagrams that were lost since the queue was full. */
  get lostCount(): number {
    return this.#lostCount;
  }

  get pendingCount(): number {
    return this.#received.length;
  }

  /** How many networks a datagram may cross. Takes effect when the port is bound. */
  get hopLimit(): number {
    return this.#hopLimit;
  }

  set hopLimit(value: number) {
    this.#hopLimit = value;
    if (this.#state === "bound") this.#try(() => this.#socket.setTTL(value));
  }

  /** Bytes of datagrams that wait to be received, at most. */
  get receiveBufferBytes(): number {
    return this.#options.limits.datagramsBytesMax;
  }

  /** Bytes of datagrams that wait to be sent, at most. */
  get sendBufferBytes(): number {
    return sendingMax * datagramBytesMax;
  }

  get local(): Endpoint | undefined {
    return this.#state === "bound" ? this.#socket.address() : undefined;
  }

  /** Starts to listen on a granted port; port 0 is any that is free, and must be granted as "0". @throws SocketError */
  bind(local: Endpoint): void {
    if (this.#state !== "new") throw new SocketError("invalid-state");
    this.#checkFamily(local);
    this.#listen(local);
    this.#isGranted = true;
    this.#bind(local);
  }

  /**
   * Joins a group to receive what is sent to it; the group's address and our port must be granted for listening.
   *
   * @param ownAddress Of the network interface to join on; the system's choice when left out.
   */
  joinGroup(group: string, ownAddress?: string): void {
    if (this.#state !== "bound") throw new SocketError("invalid-state");
    this.#listen({ address: group, port: this.#socket.address().port });
    this.#try(() => this.#socket.addMembership(group, ownAddress));
  }

  leaveGroup(group: string, ownAddress?: string): void {
    if (this.#state !== "bound") throw new SocketError("invalid-state");
    this.#try(() => this.#socket.dropMembership(group, ownAddress));
  }

  /** How far datagrams to a group go: 1 to 255 routers. */
  setGroupReach(hops: number): void {
    if (this.#state !== "bound") throw new SocketError("invalid-state");
    this.#try(() => this.#socket.setMulticastTTL(hops));
  }

  /** Whether datagrams to a group come back to this machine. */
  setGroupEcho(isOn: boolean): void {
    if (this.#state !== "bound") throw new SocketError("invalid-state");
    this.#try(() => this.#socket.setMulticastLoopback(isOn));
  }

  setBroadcast(isOn: boolean): void {
    if (this.#state !== "bound") throw new SocketError("invalid-state");
    this.#try(() => this.#socket.setBroadcast(isOn));
  }

  /** Datagrams that can be sent now. */
  get room(): number {
    return this.#state === "closed" ? 0 : sendingMax - this.#sending;
  }

  /** Sends one. @throws SocketError when where it goes is not granted, or `would-block` when too many wait. */
  send(data: Uint8Array, remote: Endpoint): void {
    if (this.#state === "closed") throw new SocketError(this.#problem ?? "invalid-state");
    // Node would bind what could not be bound where it was granted: to any port of all addresses, which hears everybody then.
    if (this.#state === "binding" && this.#problem !== undefined) throw new SocketError(this.#problem);
    this.#checkFamily(remote);
    const target = this.#options.pass("connect", remote);
    if (data.length > datagramBytesMax) throw new SocketError("datagram-too-large");
    if (this.room === 0) throw new SocketError("would-block");
    if (this.#peers.size >= peersMax) this.#peers.clear();
    this.#peers.set(peerOf(remote), target);
    if (this.#state === "new") this.#bind({ address: this.family === "ipv4" ? "0.0.0.0" : "::", port: 0 });
    this.#sending++;
    this.#options.traffic.sentBytes += data.length;
    this.#socket.send(data.slice(), remote.port, remote.address, () => {
      // A datagram that was lost is no failure of the socket.
      this.#sending--;
      this.change.signal();
    });
  }

  /** The next that was received. */
  receive(): Datagram | undefined {
    const datagram = this.#received.shift();
    if (datagram !== undefined) this.#receivedBytes -= datagram.data.length;
    return datagram;
  }

  /** @param why What whoever still holds it is told. */
  close(why?: SocketProblem): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#problem ??= why;
    this.#received.length = 0;
    this.#socket.close();
    this.#options.onClose();
    this.change.signal();
  }

  #listen(local: Endpoint): void {
    if (this.#listens.size >= listensMax) throw new SocketError("new-socket-limit");
    this.#listens.set(peerOf(local), this.#options.pass("listen", local));
  }

  #bind(local: Endpoint): void {
    this.#state = "binding";
    this.#socket.bind({ address: local.address, port: local.port, exclusive: true });
  }

  #receive(data: Uint8Array, from: dgram.RemoteInfo): void {
    const remote = { address: from.address, port: from.port };
    if (!this.#isGranted && !this.#peers.has(peerOf(remote))) return;
    const { datagramsMax, datagramsBytesMax } = this.#options.limits;
    if (this.#received.length >= datagramsMax || this.#receivedBytes + data.length > datagramsBytesMax) {
      this.#lostCount++;
      return;
    }
    this.#received.push({ data: new Uint8Array(data), remote });
    this.#receivedBytes += data.length;
    this.#options.traffic.receivedBytes += data.length;
    this.change.signal();
  }

  #checkFamily({ address }: Endpoint): void {
    if (isIP(address) !== (this.family === "ipv4" ? 4 : 6)) throw new SocketError("invalid-argument");
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw new SocketError(socketProblemOf(error));
    }
  }
}

/** The guest may spell an address otherwise than the system that receives from it. */
function peerOf({ address, port }: Endpoint): string {
  return `${canonicalAddress(address) ?? address} ${port}`;
}
