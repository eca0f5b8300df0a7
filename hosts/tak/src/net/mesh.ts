/**
 * Datagrams over UDP, to a multicast group or to single addresses, as one connection: what any of them sends comes in,
 * what is sent goes to all. Versions follow the rules for meshes (protocol.txt, "Mesh Network Protocol Negotiation").
 */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIP, isIPv6, SocketAddress } from "node:net";
import { networkInterfaces } from "node:os";
import { isRemoraError } from "remora/base";
import { readDatagram, writeControlDatagram, writeDatagram } from "../cot/datagram.ts";
import { EventDecoder } from "../cot/event-decoder.ts";
import { type CotLimits, cotLimits } from "../cot/limits.ts";
import { MeshVersions } from "../cot/mesh-versions.ts";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  type Connection,
  type ConnectionHandlers,
  type ConnectionStats,
  newStats,
  nextConnectionId,
  showAddress,
} from "./connection.ts";

export interface MeshOptions {
  /**
   * An address of this machine to receive at, whoever sends; by default all of them when there is a group, and else
   * `127.0.0.1`. Without one, where there are only destinations, what they answer is received and nothing else.
   */
  readonly host?: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Receive what is sent to this group, and send there. TAK clients use 239.2.3.1, port 6969. */
  readonly group?: MeshGroup;
  /** Single addresses to send to as well. */
  readonly destinations?: readonly { readonly host: string; readonly port: number }[];
  /** `negotiate`: the highest version that all contacts read; else that one. */
  readonly protocol?: "negotiate" | "xml" | "protobuf";
  /** Bytes that may wait in the socket; beyond, messages are dropped and counted. */
  readonly queuedBytesMax?: number;
  /** Names us when we say which versions we read. */
  readonly contactUid?: string;
  readonly limits?: CotLimits;
  readonly clock?: Clock;
}

export interface MeshGroup {
  readonly address: string;
  /** The address of the network interface to use; the system's choice by default. */
  readonly interface?: string;
  /** How many routers it may pass; 1, which stays in the local network, by default. */
  readonly ttl?: number;
}

// The most that fits into an IPv4 datagram, 65535 less both headers.
const DATAGRAM_BYTES_MAX = 65_507;
// Rule 1: "at least once every 60 seconds".
const CONTROL_EVERY_MS = 60_000;
const QUEUED_BYTES_MAX = 4 << 20;

export class Mesh implements Connection {
  readonly id = nextConnectionId();
  readonly name: string;
  readonly port: number;

  /** Receives. */
  readonly #socket: Socket;
  /** Sends; to a group from a port of its own, by which we know our own datagrams when the group brings them back. */
  readonly #sender: Socket;
  readonly #handlers: ConnectionHandlers;
  readonly #targets: readonly { readonly host: string; readonly port: number }[];
  readonly #protocol: "negotiate" | "xml" | "protobuf";
  readonly #queuedBytesMax: number;
  readonly #contactUid: string;
  readonly #clock: Clock;
  readonly #decoder: EventDecoder;
  readonly #versions = new MeshVersions();
  readonly #stats: ConnectionStats;
  readonly #ownAddresses: ReadonlySet<string>;
  readonly #senderPort: number;
  /** Who is heard, where only those are that are sent to. */
  readonly #heard: readonly Sender[] | undefined;
  #isOpen = true;
  /** Handed to the socket, and not gone yet. */
  #sending = 0;
  #onSent = () => {};
  #cancelControl: () => void = () => {};
  #closed: Promise<void> | undefined;

  private constructor(sockets: Sockets, options: MeshOptions, handlers: ConnectionHandlers) {
    const { group, destinations = [] } = options;
    this.#socket = sockets.receiver;
    this.#sender = sockets.sender;
    this.#handlers = handlers;
    this.port = sockets.receiver.address().port;
    this.#senderPort = sockets.sender.address().port;
    this.#heard = isPrivate(options) ? destinations.map(senderOf) : undefined;
    this.#targets =
      group === undefined ? destinations : [{ host: group.address, port: this.port }, ...destinations];
    this.#protocol = options.protocol ?? "negotiate";
    this.#queuedBytesMax = options.queuedBytesMax ?? QUEUED_BYTES_MAX;
    this.#contactUid = options.contactUid ?? "";
    this.#clock = options.clock ?? systemClock;
    this.#decoder = new EventDecoder(options.limits ?? cotLimits());
    this.#stats = newStats(this.#protocol === "xml" ? "xml" : "protobuf");
    this.#ownAddresses = ownAddresses();
    this.name = nameOf(options, this.port);
  }

  /**
   * Opens the mesh.
   *
   * @throws tak/listen-failed the address is taken or not ours, or the group is none
   */
  static async open(options: MeshOptions, handlers: ConnectionHandlers): Promise<Mesh> {
    const mesh = new Mesh(await openSockets(options), options, handlers);
    mesh.#start();
    return mesh;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get stats(): Readonly<ConnectionStats> {
    this.#stats.format = this.#formatNow();
    this.#stats.queuedBytes = this.#isOpen ? this.#sender.getSendQueueSize() : 0;
    return this.#stats;
  }

  send(message: CotMessage): boolean {
    if (!this.#isOpen) return false;
    const datagram = writeDatagram(message, this.#formatNow());
    if (datagram.length > DATAGRAM_BYTES_MAX) {
      this.#stats.messagesDropped++;
      const sizes = { sizeBytes: datagram.length, sizeBytesMax: DATAGRAM_BYTES_MAX };
      const error = takErrors["datagram-too-large"]({ name: this.name, uid: message.uid, ...sizes });
      this.#handlers.onBadEvent?.(error, this);
      return false;
    }
    if (this.#sender.getSendQueueSize() + datagram.length > this.#queuedBytesMax) {
      this.#stats.messagesDropped++;
      return false;
    }
    this.#stats.messagesOut++;
    this.#sendToAll(datagram);
    return true;
  }

  close(): void {
    void this.closed();
  }

  /** Closes it, and is done when it is closed. */
  closed(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closed();
  }

  #start(): void {
    this.#socket.on("message", (bytes, from) => this.#take(bytes, from));
    // An unreachable destination comes back as an error of the socket; the others are none the worse for it.
    for (const socket of new Set([this.#socket, this.#sender])) socket.on("error", () => this.#countLoss());
    this.#handlers.onOpen?.(this);
    if (this.#protocol !== "xml") this.#announce();
  }

  #countLoss(): void {
    this.#stats.messagesDropped++;
  }

  /** Rule 1: says which versions we read, again and again. */
  #announce(): void {
    this.#sendToAll(writeControlDatagram({ versionMin: 1, versionMax: 1, contactUid: this.#contactUid }));
    this.#cancelControl = this.#clock.after(CONTROL_EVERY_MS, () => this.#announce());
  }

  #sendToAll(datagram: Uint8Array): void {
    for (const { host, port } of this.#targets) {
      this.#stats.bytesOut += datagram.length;
      this.#sending++;
      this.#sender.send(datagram, port, host, (error) => {
        if (error) this.#countLoss();
        if (--this.#sending === 0) this.#onSent();
      });
    }
  }

  #take(bytes: Buffer, from: RemoteInfo): void {
    if (!this.#isOpen || this.#isOwn(from) || !this.#hears(from)) return;
    this.#stats.bytesIn += bytes.length;
    let datagram: ReturnType<typeof readDatagram>;
    try {
      datagram = readDatagram(this.#decoder, bytes);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      this.#stats.badEventsIn++;
      this.#handlers.onBadEvent?.(error, this);
      return;
    }
    const nowMs = this.#clock.nowMs();
    this.#versions.hear(showAddress(from.address, from.port), datagram.version, datagram.control, nowMs);
    if (datagram.event === undefined) return;
    this.#stats.messagesIn++;
    this.#handlers.onMessage(datagram.event, this);
  }

  #isOwn(from: RemoteInfo): boolean {
    return from.port === this.#senderPort && this.#ownAddresses.has(from.address);
  }

  #hears({ address, port }: RemoteInfo): boolean {
    return this.#heard?.some((one) => one.port === port && (one.address ?? address) === address) ?? true;
  }

  #formatNow(): "xml" | "protobuf" {
    if (this.#protocol !== "negotiate") return this.#protocol;
    return this.#versions.versionToSend(this.#clock.nowMs()) === 1 ? "protobuf" : "xml";
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    this.#cancelControl();
    if (this.#sending > 0) {
      await new Promise<void>((resolve) => {
        this.#onSent = resolve;
      });
    }
    const sockets = new Set([this.#socket, this.#sender]);
    await Promise.all(
      Array.from(sockets, (socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
    this.#handlers.onClose?.(this, undefined);
  }
}

interface Sockets {
  readonly receiver: Socket;
  readonly sender: Socket;
}

async function openSockets(options: MeshOptions): Promise<Sockets> {
  const { group, port, destinations = [] } = options;
  const anyAddress = group?.address ?? options.host ?? destinations[0]?.host ?? "";
  const type = isIPv6(anyAddress) ? "udp6" : "udp4";
  const everywhere = type === "udp6" ? "::" : "0.0.0.0";
  const isLocal = group === undefined && !isPrivate(options);
  const receiver = createSocket({ type, reuseAddr: group !== undefined });
  // Who answers a datagram answers where it came from.
  const sender = group === undefined ? receiver : createSocket({ type });
  try {
    await bound(receiver, port, options.host ?? (isLocal ? "127.0.0.1" : everywhere));
    if (group !== undefined) {
      await bound(sender, 0, group.interface ?? everywhere);
      receiver.addMembership(group.address, group.interface);
      if (group.interface !== undefined) sender.setMulticastInterface(group.interface);
      sender.setMulticastTTL(group.ttl ?? 1);
      // Other programs on this machine are part of the mesh; our own are told by their port.
      sender.setMulticastLoopback(true);
    }
  } catch (error) {
    receiver.close();
    if (sender !== receiver) sender.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw takErrors["listen-failed"]({ name: nameOf(options, port), reason }, error);
  }
  return { receiver, sender };
}

interface Sender {
  /** As it comes with a datagram. Undefined for a name, which may stand for many: only the port is compared. */
  readonly address: string | undefined;
  readonly port: number;
}

function senderOf({ host, port }: { readonly host: string; readonly port: number }): Sender {
  if (isIP(host) !== 6) return { address: isIP(host) === 0 ? undefined : host, port };
  // An address of IPv6 has many spellings; datagrams come with one of them, and with the zone if it has one.
  const [bare = "", ...zone] = host.split("%");
  const { address } = new SocketAddress({ address: bare, family: "ipv6" });
  return { address: [address, ...zone].join("%"), port };
}

function isPrivate({ group, host, destinations = [] }: MeshOptions): boolean {
  return group === undefined && host === undefined && destinations.length > 0;
}

function bound(socket: Socket, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address: host }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function nameOf({ group, host }: MeshOptions, port: number): string {
  return `udp ${showAddress(group?.address ?? host ?? "127.0.0.1", port)}`;
}

function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}
