/**
 * A bundle that the manager keeps, as a plugin of the server. Its life is the manager's; what goes on while a version
 * serves is here: it is started, gets deltas and polls, is asked in turns. While one version follows another, what comes
 * waits.
 */

import type { Answer } from "remora/abi";
import { isRemoraError, type RemoraError } from "remora/base";
import type { Json, Manifest } from "remora/bundle";
import type { ManagedPlugin, Manager, ManagerEvent } from "remora/manager";
import type { Clock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import type { StaticFiles } from "../http/static-folder.ts";
import { answerRequest } from "../plugin/answer-request.ts";
import type { EndpointRequest, EndpointResponse } from "../plugin/endpoints.ts";
import type { GivenGrant } from "../plugin/grants.ts";
import type { GuestClock } from "../plugin/guest-clock.ts";
import { copyNodeData, type ImportedData } from "../plugin/import-node-data.ts";
import type { PluginDeps } from "../plugin/plugin-deps.ts";
import { PluginStatus, reasonOf } from "../plugin/plugin-status.ts";
import { startPolling } from "../plugin/polling.ts";
import { fileAnswer, servedFiles } from "../plugin/public-files.ts";
import type { PluginState, ServedPlugin } from "../plugin/served-plugin.ts";
import type { PluginSettings } from "../plugin/settings-file.ts";
import { Turns } from "../plugin/turns.ts";
import { type BoundGuest, beginGuest } from "./bound-guest.ts";
import { BundleCalls } from "./bundle-calls.ts";
import { BundleFiles } from "./bundle-files.ts";

export interface BundlePluginOptions
  extends Pick<PluginDeps, "server" | "dataFolder" | "clock" | "pace" | "log"> {
  readonly manager: Manager;
  readonly name: string;
  /** As guests' deadlines are of. */
  readonly guestClock: GuestClock;
  /** Told when it was read again what its bundle and the operator say. */
  readonly onRead: () => void;
}

/** What is read of it whenever it has changed. */
interface Known {
  readonly manifest: Manifest | undefined;
  readonly settings: Json | undefined;
  readonly pages: StaticFiles | undefined;
}

type Version = NonNullable<ManagedPlugin["serving"]>;

export class BundlePlugin implements ServedPlugin {
  readonly id: string;
  readonly #options: BundlePluginOptions;
  readonly #managed: ManagedPlugin<BoundGuest>;
  readonly #turns: Turns;
  readonly #calls: BundleCalls;
  readonly #status: PluginStatus;
  /** The version that is started, or being started. */
  #version: Version | undefined;
  /** The guest that runs, and the one that is being started. */
  #bound: BoundGuest | undefined;
  #starting: BoundGuest | undefined;
  #lastName: string | undefined;
  /** Why the version that serves did not start. */
  #refusal: RemoraError | undefined;
  #endPolling = () => {};
  #endDeltas: (() => void) | undefined;
  /** Starts so far: a later one makes an earlier one void. */
  #starts = 0;
  #isDebugged = false;
  #refreshed: Promise<void> = Promise.resolve();
  #known: Known = { manifest: undefined, settings: undefined, pages: undefined };

  constructor(options: BundlePluginOptions) {
    const { manager, name, pace, clock } = options;
    this.id = name;
    this.#options = options;
    this.#managed = manager.get<BoundGuest>(name);
    this.#calls = new BundleCalls(this.#managed, options);
    this.#turns = new Turns({
      plugin: name,
      pace,
      clock,
      deliver: (delta, nowMs) => this.#calls.giveDelta(delta, nowMs),
    });
    this.#status = new PluginStatus(name, options);
  }

  get name(): string {
    // What it says of how it is, in its start too, is shown under this name.
    return (this.#bound ?? this.#starting)?.description.name ?? this.#lastName ?? this.id;
  }

  get manifest(): ServedPlugin["manifest"] {
    const { description = "", tags = [] } = this.#known.manifest ?? {};
    const { serving } = this.#managed;
    const version = serving?.version.version ?? this.#options.manager.info(this.id).version ?? "";
    return { packageName: this.id, version, description, keywords: tags };
  }

  /** By which its settings are checked. */
  get schema(): unknown {
    return this.#known.manifest?.settings ?? {};
  }

  get state(): PluginState {
    switch (this.#managed.state) {
      case "running":
        if (this.#refusal !== undefined) return "error";
        return this.#bound === undefined ? "starting" : "running";
      case "preparing":
        return "starting";
      case "broken":
      case "backing-off":
        return "crashed";
      default:
        return "stopped";
    }
  }

  get statusMessage(): string {
    return this.#status.text;
  }

  /** `enableDebug` lasts until the server ends: the log of a bundle is the manager's. */
  get settings(): PluginSettings {
    const { settings } = this.#known;
    const { isEnabled } = this.#options.manager.info(this.id);
    // A manifest's schema is mostly of an object, and a form knows nothing else.
    const configuration = settings as PluginSettings["configuration"];
    return { enabled: isEnabled, enableDebug: this.#isDebugged, configuration };
  }

  get grants(): readonly GivenGrant[] {
    const asked = new Set(this.#known.manifest?.capabilities.map(({ grant }) => grant.capability));
    const base = this.#managed.serving?.inspected.world.compatibleGrants ?? [];
    const isBase = (capability: string) => base.some((grant) => grant.capability === capability);
    const given = this.#managed.serving?.grants ?? this.#options.manager.grants(this.id);
    return given.map((grant) => {
      const { capability } = grant;
      return { grant, why: asked.has(capability) ? "declared" : isBase(capability) ? "base" : "operator" };
    });
  }

  get account(): ServedPlugin["account"] {
    const { calls, traps, fuelUsed } = this.#managed.counts();
    return { counts: { calls, traps, fuelUsed }, latency: this.#managed.latency };
  }

  /** Reads what its bundle and the operator say of it now. */
  refresh(): Promise<void> {
    this.#refreshed = this.#read();
    return this.#refreshed;
  }

  async #read(): Promise<void> {
    const { manager } = this.#options;
    const bundle = await manager.bundle(this.id);
    const { manifest, settings } = await manager.details(this.id);
    this.#known = { manifest, settings, pages: bundle && BundleFiles.of(bundle) };
    this.#options.onRead();
  }

  /** @throws manager/settings manager/prepare what ran goes on */
  async configure({ enabled, enableDebug, configuration }: PluginSettings): Promise<void> {
    const { manager } = this.#options;
    const { id } = this;
    const isDebugChanged = enableDebug !== this.#isDebugged;
    this.#isDebugged = enableDebug;
    if (!enabled) await manager.disable(id);
    const settings = configuration as Json | undefined; // parsed from a request
    if (settings !== undefined && JSON.stringify(settings) !== JSON.stringify(this.#known.settings ?? {})) {
      await manager.changeSettings(id, settings);
    } else if (isDebugChanged && enabled && this.#managed.serving !== undefined) {
      await manager.reload(id);
    }
    if (enabled) await manager.enable(id);
    await this.refresh();
  }

  reload(): Promise<void> {
    return this.#options.manager.reload(this.id);
  }

  /**
   * As of a package; settings that the manifest does not allow stay where they are, and the log says why. It is made anew
   * with what it was given.
   *
   * @throws signalk/settings-file manager/…
   */
  async importData(from: string): Promise<ImportedData> {
    const { manager, dataFolder, log } = this.#options;
    const { settings, ...copied } = await copyNodeData(dataFolder, from, manager.filesFolder(this.id));
    const configuration = settings.configuration as Json | undefined; // parsed from a file
    let hasSettings = configuration !== undefined;
    try {
      if (configuration !== undefined) await manager.changeSettings(this.id, configuration);
    } catch (error) {
      if (!isRemoraError(error) || error.code !== "manager/settings") throw error;
      log(this.id, "warn", reasonOf(error));
      hasSettings = false;
    }
    if (!hasSettings && this.#managed.serving !== undefined) await manager.reload(this.id);
    return { ...copied, hasSettings };
  }

  /**
   * Asks the guest in its turn.
   *
   * @throws signalk/not-running signalk/busy signalk/no-turn engine/…
   */
  ask<Result>(use: (guest: SignalkGuest) => Answer<Result>): Promise<Result> {
    if (this.#version === undefined || this.#refusal !== undefined) return Promise.reject(this.#notRunning());
    return this.#turns.ask(() => this.#calls.call(use));
  }

  async serve(request: EndpointRequest): Promise<EndpointResponse | undefined> {
    // What it serves is known when it has started.
    if (this.state === "starting") await this.#turns.ask(() => undefined);
    const endpoints = this.#bound?.endpoints ?? [];
    const answered = await answerRequest({ endpoints, ask: (use) => this.ask(use) }, request);
    return answered ?? this.file(request);
  }

  /** Whether its bundle brings some. */
  get hasPages(): boolean {
    return this.#known.pages !== undefined;
  }

  /** A page of those that it serves while it runs. */
  async file(request: EndpointRequest): Promise<EndpointResponse | undefined> {
    await this.#refreshed;
    const { pages } = this.#known;
    const { serving } = this.#managed;
    if (pages === undefined || serving === undefined || this.#bound === undefined) return undefined;
    const files = servedFiles(this.id, serving, pages);
    return files && fileAnswer(files, request);
  }

  /** What the plugin says about itself. */
  said(message: string): void {
    this.#status.said(message);
  }

  /** Something happened to it: this is called in the middle of it. */
  happened(event: ManagerEvent): void {
    switch (event.kind) {
      case "state":
        this.follow();
        return;
      case "trap":
        // A fresh guest is to be started, if the manager lets this version go on; a refusal it has told already.
        if (event.code !== "signalk/start-refused") queueMicrotask(() => this.#wake());
        return;
      case "waiting":
        this.#status.complain(
          `It crashed and starts again in ${(event.inMs / 1_000).toFixed(1)} s: ${event.reason}`,
        );
        return;
      case "changed":
      case "settings":
        this.refresh().catch((error: unknown) => this.#options.log(this.id, "error", reasonOf(error)));
        return;
      default:
    }
  }

  /** Turns to the version that serves now. */
  follow(): void {
    const next = this.#managed.serving;
    const before = this.#version;
    if (next === before) return;
    const bound = this.#bound;
    this.#version = next;
    // Its start may hang, and nobody wants its end any more.
    this.#starting?.giveUp();
    this.#endRun();
    if (before !== undefined && bound !== undefined) this.#sayGoodbye(before, bound);
    if (next !== undefined) this.#start();
    else this.#stopListening();
  }

  /** Nothing of it is called any more. */
  close(): void {
    this.#version = undefined;
    this.#endRun();
    this.#stopListening();
  }

  #start(): void {
    this.#refusal = undefined;
    this.#status.said("");
    this.#turns.pause();
    this.#listen();
    const start = ++this.#starts;
    const begin = (bound: BoundGuest, clock: Clock) => {
      if (start === this.#starts) this.#starting = bound;
      return beginGuest(bound, clock);
    };
    this.#managed.useAsync(begin, this.#options.clock).then(
      (bound) => {
        if (start === this.#starts && this.#version !== undefined) this.#run(bound);
      },
      (error: unknown) => {
        if (start === this.#starts && this.#version !== undefined) this.#refuse(error);
      },
    );
  }

  #run(bound: BoundGuest): void {
    this.#starting = undefined;
    this.#bound = bound;
    this.#lastName = bound.description.name;
    if (!bound.takesDeltas) this.#endDeltas?.();
    if (this.#status.text === "") this.#status.tell("Running");
    if (bound.guest.poll !== undefined) {
      this.#endPolling = startPolling(this.#options.clock, () => this.ask((guest) => guest.poll?.() ?? 0));
    }
    this.#turns.resume();
  }

  #refuse(error: unknown): void {
    if (!isRemoraError(error)) throw error;
    this.#refusal = error;
    this.#stopListening();
    this.#status.complain(error.message);
  }

  /** After a trap, when the same version goes on. */
  #wake(): void {
    const isLost = this.#bound?.guest.isLost ?? true;
    if (this.#version === undefined || this.#version !== this.#managed.serving || !isLost) return;
    this.#endRun();
    this.#start();
  }

  #endRun(): void {
    this.#endPolling();
    this.#endPolling = () => {};
    this.#bound = undefined;
    this.#starting = undefined;
    this.#starts++;
  }

  /** Deltas wait from before the first version starts until the last one has ended. */
  #listen(): void {
    if (this.#endDeltas !== undefined) return;
    const end = this.#options.server.onDelta((published) => this.#turns.post(published));
    this.#endDeltas = () => {
      end();
      this.#endDeltas = undefined;
    };
  }

  #stopListening(): void {
    this.#endDeltas?.();
    this.#turns.clear(this.#notRunning());
  }

  /** It may be started again, if the next one fails. */
  #sayGoodbye(version: Version, bound: BoundGuest): void {
    const failed = (error: unknown) =>
      this.#options.log(this.id, "warn", `plugin_stop failed: ${reasonOf(error)}`);
    // Behind a wall it takes its turn, before the manager lets go of it; here it is over when this returns.
    const ended =
      version.inline === undefined ? version.guests.callAsync(() => bound.end(), undefined) : bound.end();
    ended.catch(failed);
  }

  #notRunning(): RemoraError {
    return signalkErrors["not-running"]({ plugin: this.id, state: this.state });
  }
}
