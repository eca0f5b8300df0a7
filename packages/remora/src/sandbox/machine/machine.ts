/**
 * The virtual machine of one instance: the state below both versions of WASI. What belongs to the plugin (gate,
 * log, files, limits) is shared by its instances; what belongs to a call or an instance (handles, random budget,
 * waiting) is here.
 */

import type { CapabilityName } from "../../policy/index.ts";
import { sandboxErrors } from "../errors.ts";
import { FolderHandle } from "../fs/folder-handle.ts";
import { type Mount, MountGate } from "../fs/mount-gate.ts";
import type { Gate } from "../gate.ts";
import type { Guest } from "../guest.ts";
import type { HttpClient } from "../http/client.ts";
import type { KeyValueStore } from "../keyvalue/store.ts";
import type { SandboxLimits } from "../limits.ts";
import type { Change } from "../net/change.ts";
import type { Sockets } from "../net/sockets.ts";
import type { Clock } from "./clock.ts";
import type { StandardInput } from "./input.ts";
import type { BoundedLog } from "./log.ts";
import { RandomBudget, type RandomSource } from "./random.ts";
import type { Waiting } from "./waiting.ts";

/** What all instances of one plugin share. */
export interface PluginMachine {
  readonly plugin: string;
  readonly gate: Gate;
  readonly limits: SandboxLimits;
  readonly log: BoundedLog;
  /** An instance has its own, so that a fixed clock or a seed gives each the same. */
  newClock(): Clock;
  newRandom(): RandomSource;
  readonly waiting: Waiting;
  /** As the operator lists them; each variable passes the gate when it is read. */
  readonly environment: ReadonlyMap<string, string>;
  readonly arguments: readonly string[];
  /** Bytes are there for each instance from the beginning; a stream is one for all of them. */
  newInput(): StandardInput;
  readonly isInputStream: boolean;
  readonly http: HttpClient;
  readonly sockets: Sockets;
  /** The plugin's store, opened when it is first wanted. */
  keyValues(): KeyValueStore;
  /** Folders that a guest finds open. */
  readonly mounts: readonly Mount[];
}

/** So many listings of the largest folders may be kept at a time; of smaller ones more. */
const listingsMax = 4;

export class Machine {
  readonly shared: PluginMachine;
  readonly guest: Guest;
  readonly clock: Clock;
  readonly random: RandomBudget;
  readonly input: StandardInput;
  readonly #open = new Set<{ close(): void }>();
  readonly #onClose: (() => void)[] = [];
  readonly #ended = new AbortController();
  #entries = 0;
  #isClosed = false;

  constructor(shared: PluginMachine, guest: Guest) {
    this.shared = shared;
    this.guest = guest;
    this.clock = shared.newClock();
    this.input = shared.newInput();
    this.random = new RandomBudget(shared.newRandom(), shared.limits);
  }

  /** A new call into the guest begins: budgets of a call are whole again. */
  beginCall(): void {
    this.random.renew();
  }

  /** Counts a host resource that the guest holds. False when it holds too many: the caller says so to the guest. */
  hold(resource: { close(): void }): boolean {
    if (this.#isClosed || this.#open.size >= this.shared.limits.handlesMax) return false;
    this.#open.add(resource);
    return true;
  }

  /** As `hold`, for resources whose creation cannot fail in the guest's terms: too many end the instance. */
  mustHold(resource: { close(): void }): void {
    if (!this.hold(resource)) this.exceeded("handlesMax");
  }

  release(resource: { close(): void }): void {
    this.#open.delete(resource);
  }

  get heldCount(): number {
    return this.#open.size;
  }

  /** Counts entries of listings that are kept for the guest. False when it keeps too many. */
  holdEntries(count: number): boolean {
    if (this.#entries + count > listingsMax * this.shared.limits.folderEntriesMax) return false;
    this.#entries += count;
    return true;
  }

  releaseEntries(count: number): void {
    this.#entries -= count;
  }

  /** Ends the instance, since it took more than a limit and there is no way to tell it. */
  exceeded(limit: keyof SandboxLimits): never {
    const { plugin, limits } = this.shared;
    return this.guest.abort(sandboxErrors["limit-exceeded"]({ plugin, limit, max: limits[limit] }));
  }

  /** Ends the instance, since it asked for what it was not given and there is no way to tell it. */
  denied(capability: CapabilityName, rule = "nothing grants it"): never {
    return this.guest.abort(sandboxErrors.denied({ plugin: this.shared.plugin, capability, rule }));
  }

  exit(exitCode: number): never {
    return this.guest.abort(sandboxErrors.exited({ plugin: this.shared.plugin, exitCode }));
  }

  /** The environment as far as it is granted. */
  environment(): [string, string][] {
    const visible: [string, string][] = [];
    for (const [name, value] of this.shared.environment) {
      const isGranted = this.shared.gate.act(
        "env.read",
        name,
        () => true,
        () => false,
      );
      if (isGranted) visible.push([name, value]);
    }
    return visible;
  }

  /**
   * Waits for a change of one of `events`, or until `timeoutNs` of the guest's clock are over. Where time is not real, the clock is
   * moved on instead of waiting.
   *
   * @returns A promise when the engine must suspend the guest, else nothing.
   * @throws sandbox/cannot-wait, by ending the call, where the guest cannot wait.
   */
  wait(
    operation: string,
    events: readonly Change[],
    timeoutNs: bigint | undefined,
  ): Promise<void> | undefined {
    const { waiting, limits, plugin } = this.shared;
    const { clock } = this;
    if (timeoutNs !== undefined && timeoutNs <= 0n) return undefined;
    if (events.length === 0 && timeoutNs !== undefined && clock.advance !== undefined) {
      clock.advance(timeoutNs);
      return undefined;
    }
    const timeoutMs = timeoutNs === undefined ? limits.waitMsMax : Math.ceil(Number(timeoutNs) / 1e6);
    if (timeoutMs > limits.waitMsMax) this.exceeded("waitMsMax");
    const endsMs = performance.now() + timeoutMs;
    const waited = waiting.wait(events, timeoutMs, this.#ended.signal);
    if (waited === "refused") this.guest.abort(sandboxErrors["cannot-wait"]({ plugin, operation }));
    if (timeoutNs === undefined || clock.advance === undefined) return waited;
    // An event that came first leaves a clock where it is that does not go by itself.
    const moveOn = () => {
      if (performance.now() >= endsMs) clock.advance?.(timeoutNs);
    };
    if (waited !== undefined) return waited.then(moveOn);
    moveOn();
    return undefined;
  }

  /** Handles on the folders that a guest finds open, for one table of descriptors; they count as held. */
  openMounts(): FolderHandle[] {
    const { mounts, gate, limits } = this.shared;
    return mounts
      .map((mount) => new MountGate(mount, gate))
      .filter(({ isOpen }) => isOpen)
      .map((mountGate) => {
        const folder = mountGate.mount.volume.root.again();
        const handle = new FolderHandle({ folder, gate: mountGate, bounds: limits });
        this.mustHold(handle);
        return handle;
      });
  }

  /** Something to do when the instance is discarded. */
  onClose(act: () => void): void {
    this.#onClose.push(act);
  }

  /** Closes all that the guest left open. */
  close(): void {
    this.#isClosed = true;
    this.#ended.abort();
    for (const act of this.#onClose.splice(0)) act();
    for (const resource of [...this.#open]) resource.close();
    this.#open.clear();
  }
}
