/** Imports for TCP connections, as lines of text or as bytes. Nothing blocks: the guest asks again in its next poll. */

import { isIP } from "node:net";
import { type Sandbox, SocketError, type TcpConnection } from "remora/sandbox";
import { dataBytesMax, readPath } from "./env-texts.ts";
import type { GuestImports } from "./host.ts";
import { SocketTable } from "./socket-table.ts";

/** A line that is longer is cut into several; NMEA 0183 has 82 bytes. */
const lineBytesMax = 8_192;

/** One connection: first nothing, then on its way, then there or failed. */
class Connection {
  #connection: TcpConnection | undefined;
  #state: "new" | "looking-up" | "open" | "failed" = "new";
  isByLine = true;
  #pending: Uint8Array = new Uint8Array(0);

  connect(sandbox: Sandbox, host: string, port: number): number {
    if (this.#state !== "new") return -1;
    if (isIP(host) !== 0) {
      this.#open(sandbox, host, port);
      return 0;
    }
    this.#state = "looking-up";
    sandbox.sockets.lookUp(host).then(
      ([address]) => {
        // The guest may have closed it meanwhile.
        if (this.#state !== "looking-up" || address === undefined) return;
        try {
          this.#open(sandbox, address, port);
        } catch (error) {
          if (!(error instanceof SocketError)) throw error;
          this.#state = "failed";
        }
      },
      () => {
        // Refused or unknown: "connected" says that it never will be.
        this.#state = "failed";
      },
    );
    return 0;
  }

  get isConnected(): boolean {
    return this.#connection?.isConnected ?? false;
  }

  get hasFailed(): boolean {
    return this.#state === "failed" || this.#connection?.problem !== undefined;
  }

  send(data: Uint8Array): number {
    if (this.#connection === undefined) return -1;
    this.#connection.write(data);
    return data.length;
  }

  /** What is there without a line's end; undefined when there is no whole line. */
  line(): Uint8Array | undefined {
    this.#fill();
    const end = this.#pending.indexOf(10);
    if (end < 0 && this.#pending.length < lineBytesMax) return undefined;
    const length = end < 0 ? lineBytesMax : end;
    const line = this.#pending.subarray(0, this.#pending[length - 1] === 13 ? length - 1 : length);
    this.#pending = this.#pending.subarray(end < 0 ? length : end + 1);
    return line;
  }

  raw(lengthMax: number): Uint8Array {
    this.#fill();
    const data = this.#pending.subarray(0, lengthMax);
    this.#pending = this.#pending.subarray(data.length);
    return data;
  }

  get pendingCount(): number {
    this.#fill();
    if (!this.isByLine) return this.#pending.length === 0 ? 0 : 1;
    return this.#pending.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
  }

  close(): void {
    this.#state = "failed";
    this.#connection?.close();
  }

  #open(sandbox: Sandbox, address: string, port: number): void {
    this.#connection = sandbox.sockets.connectTcp({ address, port });
    this.#state = "open";
  }

  /** What the guest does not take stays with the sender. */
  #fill(): void {
    const connection = this.#connection;
    // What had come over a connection is told no more when its grant was taken.
    if (connection?.problem === "access-denied") this.#pending = new Uint8Array(0);
    if (connection === undefined || this.#pending.length >= lineBytesMax || connection.readableBytes === 0)
      return;
    const read = connection.read(2 * lineBytesMax);
    if (read !== "end" && read.length > 0) this.#pending = Buffer.concat([this.#pending, read]);
  }
}

export function tcpImports({ host, bytes }: GuestImports) {
  const connections = new SocketTable<Connection>(host.holdings);
  const give = (data: Uint8Array, buffer: number, lengthMax: number): number => {
    const taken = data.subarray(0, lengthMax >>> 0);
    bytes.set(buffer, taken, "the buffer for what was received");
    return taken.length;
  };
  return {
    sk_tcp_create(): number {
      if (!host.gate.has("net.socket")) {
        host.gate.refuse("net.socket", undefined, "nothing grants it");
        return -1;
      }
      return connections.add(() => new Connection());
    },
    sk_tcp_connect(id: number, address: number, addressLength: number, port: number): number {
      const to = readPath(bytes, address, addressLength);
      return connections.with(id, (connection) => connection.connect(host.sandbox, to, port & 0xffff));
    },
    sk_tcp_connected(id: number): number {
      return connections.with(id, (connection) =>
        connection.isConnected ? 1 : connection.hasFailed ? -1 : 0,
      );
    },
    sk_tcp_set_line_buffering(id: number, isOn: number): number {
      return connections.with(id, (connection) => {
        connection.isByLine = isOn !== 0;
        return 0;
      });
    },
    sk_tcp_send(id: number, data: number, length: number): number {
      if (length >>> 0 > dataBytesMax) return -1;
      const sent = bytes.slice(data, length, "what is sent");
      return connections.with(id, (connection) => connection.send(sent));
    },
    sk_tcp_recv_line(id: number, buffer: number, lengthMax: number): number {
      return connections.with(id, (connection) => {
        if (!connection.isByLine) return -1;
        const line = connection.line();
        return line === undefined ? 0 : give(line, buffer, lengthMax);
      });
    },
    sk_tcp_recv_raw(id: number, buffer: number, lengthMax: number): number {
      return connections.with(id, (connection) =>
        connection.isByLine ? -1 : give(connection.raw(lengthMax >>> 0), buffer, lengthMax),
      );
    },
    sk_tcp_pending(id: number): number {
      return connections.with(id, (connection) => connection.pendingCount);
    },
    sk_tcp_close(id: number): void {
      connections.close(id);
    },
  };
}
