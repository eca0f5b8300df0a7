/**
 * One guest while it is linked, and how it is called when it is made: the same whoever makes it. Its host functions and
 * its calls share what waits for it.
 */

import {
  Asyncify,
  asFetchImports,
  asFetchModule,
  GuestBytes,
  IsolatedAsyncify,
  isolatedAsFetchImports,
  openIsolatedTextGuest,
  openTextGuest,
  type TextCalls,
} from "remora/abi";
import {
  type GuestAccess,
  type HostImports,
  type Instance,
  type IsolatedInstance,
  ModuleInstance,
} from "remora/engine";
import type { Clock } from "../clock.ts";
import { componentGuest } from "./component-guest.ts";
import { CoreGuest } from "./core-guest.ts";
import { envImports } from "./env-imports.ts";
import { EventInbox } from "./event-inbox.ts";
import { fetchFor } from "./fetch.ts";
import type { GuestHost } from "./host.ts";
import { Inbox } from "./inbox.ts";
import { InlineComponent, InlineInstance, RemoteComponent, RemoteInstance } from "./live-instance.ts";
import type { SignalkGuest } from "./signalk-guest.ts";
import { worldImports } from "./world-imports.ts";

export interface LinkOptions {
  readonly kind: "component" | "module";
  /** Whether a core module finds `as-fetch`. What it asks for passes the gate all the same. */
  readonly hasFetch: boolean;
}

export class GuestLink {
  readonly #host: GuestHost;
  readonly #asyncify = new Asyncify();
  readonly #isolatedAsyncify = new IsolatedAsyncify();
  readonly #inbox: Inbox;
  readonly #events: EventInbox;

  /** @param clock For subscriptions that have a period. */
  constructor(host: GuestHost, clock: Clock) {
    this.#host = host;
    this.#inbox = new Inbox(host, clock);
    this.#events = new EventInbox(host);
  }

  /** @param host In whose name they are called. Default: the guest's own. */
  imports({ kind, hasFetch }: LinkOptions, access: GuestAccess, host = this.#host): HostImports {
    if (kind === "component") return worldImports(host, { inbox: this.#inbox, events: this.#events });
    const bytes = new GuestBytes(access.memory);
    const env = envImports({ host, bytes, abort: (error) => access.abort(error) }, this.#events);
    if (!hasFetch) return { env };
    const send = (request: Parameters<typeof fetchFor>[1]) => fetchFor(host, request);
    const asFetch =
      access.callNext === undefined
        ? asFetchImports({ asyncify: this.#asyncify, memory: access.memory, send })
        : isolatedAsFetchImports({ asyncify: this.#isolatedAsyncify, guest: access, send });
    return { env, [asFetchModule]: asFetch };
  }

  /**
   * @param convention Of a core module, where somebody says it; else its exports tell.
   * @throws signalk/not-a-plugin abi/… engine/… it is no plugin
   */
  open(instance: Instance, convention?: TextCalls["convention"]): SignalkGuest {
    const { plugin } = this.#host;
    return instance instanceof ModuleInstance
      ? new CoreGuest(
          plugin,
          new InlineInstance(instance),
          openTextGuest(instance, this.#asyncify, convention),
        )
      : componentGuest(plugin, new InlineComponent(instance), this.#inbox);
  }

  /**
   * The same for a guest behind a wall.
   *
   * @throws signalk/not-a-plugin abi/… engine/… it is no plugin
   */
  async openIsolated(
    instance: IsolatedInstance,
    kind: LinkOptions["kind"],
    convention?: TextCalls["convention"],
  ): Promise<SignalkGuest> {
    const { plugin } = this.#host;
    if (kind === "component") return componentGuest(plugin, new RemoteComponent(instance), this.#inbox);
    const texts = await openIsolatedTextGuest(instance, this.#isolatedAsyncify, convention);
    return new CoreGuest(plugin, new RemoteInstance(instance), texts);
  }
}

/** For names of imports: a guest that nobody has. */
export const nobody: GuestAccess = {
  memory: { view: () => new Uint8Array(0) },
  abort: (error) => {
    throw error;
  },
};
