/**
 * Hands a message to those it is for: with routes, to the connections of the destinations that they name;
 * without, to all. Never back to where it came from. Each form of the message is encoded once, however many
 * connections get it, because the message itself keeps its bytes.
 */

import type { CotMessage } from "./cot/message.ts";
import type { RouteTable } from "./routes/route-table.ts";

/** A connection, as far as distribution sees it. */
export interface Outlet {
  /** Queues the message; false when it had to be dropped because the peer does not read. Must not throw. */
  send(message: CotMessage): boolean;
}

export interface DistributionCounts {
  readonly sent: number;
  /** Not sent, to peers that do not read. */
  readonly dropped: number;
  /** Messages that no route matched and that have no default destination. */
  readonly unrouted: number;
}

/** Looks at what is handed out, whoever it is for. Must not throw. */
export type Watcher = (message: CotMessage, origin: Outlet | undefined) => void;

export class Distributor {
  readonly #watchers = new Set<Watcher>();
  readonly #outlets = new Map<string, Set<Outlet>>();
  readonly #routes: RouteTable | undefined;
  /** Destinations that get every message, whatever the routes say. */
  readonly #forAll = new Set<string>();
  #sent = 0;
  #dropped = 0;

  /** @param routes Without it every message is for every connection. */
  constructor(routes?: RouteTable) {
    this.#routes = routes;
  }

  /**
   * @param destination Id of the listener that accepted the connection, or of the server it goes to.
   * @param isForAll    It gets every message, whatever the routes say.
   */
  add(destination: string, outlet: Outlet, { isForAll = false }: { readonly isForAll?: boolean } = {}): void {
    if (isForAll) this.#forAll.add(destination);
    const group = this.#outlets.get(destination);
    if (group === undefined) this.#outlets.set(destination, new Set([outlet]));
    else group.add(outlet);
  }

  remove(destination: string, outlet: Outlet): void {
    const group = this.#outlets.get(destination);
    group?.delete(outlet);
    if (group?.size !== 0) return;
    this.#outlets.delete(destination);
    this.#forAll.delete(destination);
  }

  /** @param origin Where the message came from; undefined for a recording. */
  distribute(message: CotMessage, origin: Outlet | undefined): void {
    for (const watch of this.#watchers) watch(message, origin);
    if (this.#routes === undefined) {
      for (const group of this.#outlets.values()) this.#sendTo(group, message, origin);
      return;
    }
    for (const destination of this.#routes.route(message)) this.#sendToAll(destination, message, origin);
    // No route can name them, since they came after the configuration.
    for (const destination of this.#forAll) this.#sendToAll(destination, message, origin);
  }

  /**
   * Hands a message to those of its outlets that are wanted.
   *
   * @param isWanted With it routes do not matter; without, as `distribute`.
   * @returns        Who took it.
   */
  deliver(message: CotMessage, isWanted?: (outlet: Outlet) => boolean): Outlet[] {
    for (const watch of this.#watchers) watch(message, undefined);
    const isRouted = isWanted === undefined && this.#routes !== undefined;
    const destinations = isRouted
      ? [...(this.#routes?.route(message) ?? []), ...this.#forAll]
      : this.#outlets.keys();
    const taken: Outlet[] = [];
    for (const destination of destinations) {
      for (const outlet of this.#outlets.get(destination) ?? []) {
        if (isWanted?.(outlet) === false) continue;
        if (outlet.send(message)) {
          this.#sent++;
          taken.push(outlet);
        } else this.#dropped++;
      }
    }
    return taken;
  }

  /** @returns Ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  counts(): DistributionCounts {
    return { sent: this.#sent, dropped: this.#dropped, unrouted: this.#routes?.unrouted ?? 0 };
  }

  #sendToAll(destination: string, message: CotMessage, origin: Outlet | undefined): void {
    const group = this.#outlets.get(destination);
    if (group !== undefined) this.#sendTo(group, message, origin);
  }

  #sendTo(group: ReadonlySet<Outlet>, message: CotMessage, origin: Outlet | undefined): void {
    for (const outlet of group) {
      if (outlet === origin) continue;
      if (outlet.send(message)) this.#sent++;
      else this.#dropped++;
    }
  }
}
