/** The sockets of one guest, by the numbers that it knows them by. They end with the guest. */

import { SocketError } from "remora/sandbox";
import type { Holdings } from "./host.ts";

export class SocketTable<Socket extends { close(): void }> {
  readonly #sockets = new Map<number, Socket>();
  #nextId = 1;

  constructor(holdings: Holdings) {
    holdings.addLasting(() => {
      for (const socket of this.#sockets.values()) socket.close();
      this.#sockets.clear();
    });
  }

  add(open: () => Socket): number {
    return attempt(() => {
      this.#sockets.set(this.#nextId, open());
      return this.#nextId++;
    });
  }

  /** @returns what `use` gives; -1 when there is no such socket, or when it cannot be done */
  with(id: number, use: (socket: Socket) => number): number {
    const socket = this.#sockets.get(id);
    return socket === undefined ? -1 : attempt(() => use(socket));
  }

  close(id: number): void {
    this.#sockets.get(id)?.close();
    this.#sockets.delete(id);
  }
}

/** The interface has one number for everything that fails: refused, too many, not connected. */
function attempt(use: () => number): number {
  try {
    return use();
  } catch (error) {
    if (error instanceof SocketError) return -1;
    throw error;
  }
}
