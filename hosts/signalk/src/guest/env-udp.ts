/** Imports for UDP, as radars and instruments need it. Nothing blocks: the guest asks again in its next poll. */

import type { UdpPort } from "remora/sandbox";
import { dataBytesMax, readPath } from "./env-texts.ts";
import type { GuestImports } from "./host.ts";
import { SocketTable } from "./socket-table.ts";

/** Options that wait until a port is bound. */
const waitingMax = 64;

class Port {
  readonly udp: UdpPort;
  #waiting: (() => void)[] = [];
  #isWatched = false;

  constructor(udp: UdpPort) {
    this.udp = udp;
  }

  /** Does it when the port is bound: binding takes a moment, and the guest does not wait for it. */
  whenBound(act: () => void): number {
    if (this.udp.state === "bound") {
      act();
      return 0;
    }
    if (this.udp.state === "closed" || this.#waiting.length >= waitingMax) return -1;
    this.#waiting.push(act);
    if (!this.#isWatched) {
      this.#isWatched = true;
      void this.#watch();
    }
    return 0;
  }

  close(): void {
    this.#waiting = [];
    this.udp.close();
  }

  async #watch(): Promise<void> {
    while (this.udp.state === "new" || this.udp.state === "binding") {
      await this.udp.change.next();
      if (this.udp.problem !== undefined) break;
    }
    this.#isWatched = false;
    for (const act of this.#waiting.splice(0)) {
      try {
        if (this.udp.state === "bound") act();
      } catch {
        // The guest was told that it would be done; it sees that nothing comes, as with any group that is silent.
      }
    }
  }
}

export function udpImports({ host, bytes }: GuestImports) {
  const ports = new SocketTable<Port>(host.holdings);
  const groupAction = (act: (port: UdpPort, group: string, own: string | undefined) => void) =>
    function groupImport(
      id: number,
      group: number,
      groupLength: number,
      own: number,
      ownLength: number,
    ): number {
      const address = readPath(bytes, group, groupLength);
      const ownAddress = ownLength === 0 ? undefined : readPath(bytes, own, ownLength);
      return ports.with(id, (port) => port.whenBound(() => act(port.udp, address, ownAddress)));
    };
  return {
    sk_udp_create(type: number): number {
      if (!host.gate.has("net.socket")) {
        host.gate.refuse("net.socket", undefined, "nothing grants it");
        return -1;
      }
      return ports.add(() => new Port(host.sandbox.sockets.openUdp(type === 1 ? "ipv6" : "ipv4")));
    },
    sk_udp_bind(id: number, port: number): number {
      return ports.with(id, ({ udp }) => {
        udp.bind({ address: udp.family === "ipv6" ? "::" : "0.0.0.0", port: port & 0xffff });
        return 0;
      });
    },
    sk_udp_join_multicast: groupAction((udp, group, own) => udp.joinGroup(group, own)),
    sk_udp_leave_multicast: groupAction((udp, group, own) => udp.leaveGroup(group, own)),
    sk_udp_set_multicast_ttl(id: number, hops: number): number {
      return ports.with(id, (port) => port.whenBound(() => port.udp.setGroupReach(hops)));
    },
    sk_udp_set_multicast_loopback(id: number, isOn: number): number {
      return ports.with(id, (port) => port.whenBound(() => port.udp.setGroupEcho(isOn !== 0)));
    },
    sk_udp_set_broadcast(id: number, isOn: number): number {
      return ports.with(id, (port) => port.whenBound(() => port.udp.setBroadcast(isOn !== 0)));
    },
    sk_udp_send(
      id: number,
      address: number,
      addressLength: number,
      port: number,
      data: number,
      length: number,
    ): number {
      if (length >>> 0 > dataBytesMax) return -1;
      const to = readPath(bytes, address, addressLength);
      const sent = bytes.slice(data, length, "a datagram");
      return ports.with(id, ({ udp }) => {
        udp.send(sent, { address: to, port: port & 0xffff });
        return sent.length;
      });
    },
    /** The sender's address is written with a NUL behind it, into 46 bytes; its port as a u16. */
    sk_udp_recv(id: number, buffer: number, lengthMax: number, address: number, port: number): number {
      return ports.with(id, ({ udp }) => {
        const datagram = udp.receive();
        if (datagram === undefined) return 0;
        const data = datagram.data.subarray(0, lengthMax >>> 0);
        bytes.set(buffer, data, "the buffer for a datagram");
        bytes.set(address, Buffer.from(`${datagram.remote.address}\0`), "the buffer for an address");
        bytes.setU16(port, datagram.remote.port, "the place for a port");
        return data.length;
      });
    },
    sk_udp_pending(id: number): number {
      return ports.with(id, ({ udp }) => udp.pendingCount);
    },
    sk_udp_close(id: number): void {
      ports.close(id);
    },
  };
}
