/**
 * One plugin and its life: loaded, started, called in turns, stopped; started again after a crash, with waits that
 * grow; replaced by a new version of its file while deltas and requests wait.
 */

import type { Answer, GuestText } from "remora/abi";
import type { RemoraError } from "remora/base";
import type { Artifact } from "remora/engine";
import { signalkErrors } from "../errors.ts";
import type { Session } from "../guest/session.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import type { StaticFiles } from "../http/static-folder.ts";
import type { Account } from "./account.ts";
import { answerRequest } from "./answer-request.ts";
import { readArtifact } from "./artifact-file.ts";
import { Restarts } from "./back-off.ts";
import { type Description, describe, servedEndpoints } from "./description.ts";
import type { EndpointRequest, EndpointResponse } from "./endpoints.ts";
import { type GivenGrant, grantsOf } from "./grants.ts";
import { GuestCalls } from "./guest-calls.ts";
import { type ImportedData, importNodeData } from "./import-node-data.ts";
import { KeptSettings } from "./kept-settings.ts";
import type { PluginManifest } from "./manifest.ts";
import type { PluginDeps } from "./plugin-deps.ts";
import { makePrivateFolders, openPluginSession } from "./plugin-session.ts";
import { PluginStatus, reasonOf } from "./plugin-status.ts";
import { fileAnswer, publicFolder } from "./public-files.ts";
import { Run } from "./run.ts";
import type { PluginState, ServedPlugin } from "./served-plugin.ts";
import type { PluginSettings } from "./settings-file.ts";
import { Turns } from "./turns.ts";

export class SignalkPlugin implements ServedPlugin {
  readonly manifest: PluginManifest;
  readonly grants: readonly GivenGrant[];
  readonly #calls: GuestCalls;
  readonly #deps: PluginDeps;
  readonly #settings: KeptSettings;
  readonly #status: PluginStatus;
  readonly #turns: Turns;
  readonly #restarts: Restarts;
  #artifact: Artifact | undefined;
  #description: Description = { name: undefined, schema: {} };
  #state: PluginState = "stopped";
  #session: Session | undefined;
  #run: Run | undefined;
  /** The files of its package that may be served. */
  #public: StaticFiles | undefined;
  #isReloading = false;
  /** A later one, or a stop, makes an earlier one void. */
  #begins = 0;
  #deltas = 0;

  constructor(manifest: PluginManifest, settings: PluginSettings, deps: PluginDeps) {
    const { id } = manifest;
    this.manifest = manifest;
    this.#deps = deps;
    this.#status = new PluginStatus(id, deps);
    this.#settings = new KeptSettings({ dataFolder: deps.dataFolder, plugin: id }, settings, (error) =>
      deps.log(id, "error", reasonOf(error)),
    );
    this.grants = [
      ...grantsOf(id, manifest.capabilities),
      ...(deps.moreGrants?.(id) ?? []).map((grant) => ({ grant, why: "operator" as const })),
    ].filter((given) => deps.isWithheld?.(id, given) !== true);
    this.#turns = new Turns({
      plugin: id,
      pace: deps.pace,
      clock: deps.clock,
      deliver: (delta, nowMs) => this.#deliver(delta, nowMs),
    });
    this.#restarts = new Restarts(deps.clock, deps.backOff);
    this.#calls = new GuestCalls(deps.clock, (session, error) => this.#failed(session, error));
  }

  get id(): string {
    return this.manifest.id;
  }

  /** As the plugin calls itself; its package's name until it was loaded. */
  get name(): string {
    return this.#description.name ?? this.manifest.packageName;
  }

  /** JSON Schema of its configuration. */
  get schema(): unknown {
    return this.#description.schema;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** What the plugin said last, or why it does not run. */
  get statusMessage(): string {
    return this.#status.text;
  }

  get settings(): PluginSettings {
    return this.#settings.current;
  }

  /** What its calls have cost. */
  get account(): Account {
    return this.#calls.account;
  }

  get counts(): { readonly deltas: number; readonly lost: number; readonly crashes: number } {
    return { deltas: this.#deltas, lost: this.#turns.lostCount, crashes: this.#restarts.crashes };
  }

  /**
   * Reads the plugin's file, and asks it for its name and its schema in a guest that is thrown away.
   *
   * @throws signalk/no-wasm signalk/wasm-too-large the file
   * @throws wasm/… policy/… engine/… abi/… signalk/not-a-plugin it cannot be taken
   */
  async load(): Promise<void> {
    try {
      await makePrivateFolders(this.#deps, this.id, this.grants);
      const artifact = await readArtifact(this.manifest);
      const session = await this.#open(artifact);
      try {
        this.#description = await describe(this.id, session);
      } finally {
        session.close();
      }
      this.#artifact = artifact;
      this.#public = await publicFolder(this.manifest);
    } catch (error) {
      this.#giveUp(error);
      throw error;
    }
  }

  /**
   * Starts the plugin with its configuration. Resolves when `plugin_start` is over; a plugin that waits for the network
   * in it holds up nobody but itself.
   *
   * @throws signalk/start-refused it says that it cannot
   * @throws …                     as `load`
   */
  async start(): Promise<void> {
    if (this.#state === "running" || this.#state === "starting") return;
    this.#restarts.forget();
    await this.#begin();
  }

  /** Stops the plugin; what it registered is gone, whatever its `plugin_stop` does. */
  async stop(): Promise<void> {
    this.#restarts.cancel();
    this.#begins++;
    const session = this.#session;
    if (session === undefined) {
      this.#state = "stopped";
      this.#turns.clear(this.#notRunning());
      return;
    }
    this.#endRun();
    await this.#sayGoodbye(session);
    this.#closeSession();
    this.#state = "stopped";
    this.#status.tell("Stopped");
  }

  /**
   * Keeps new settings, and starts or stops the plugin as they say. Resolves when they are kept and the plugin was
   * called; it may still be starting then.
   */
  async configure(settings: PluginSettings): Promise<void> {
    await this.#settings.write(settings);
    await this.stop();
    if (settings.enabled) this.startSoon();
  }

  /** @throws signalk/settings-file */
  async importData(from: string): Promise<ImportedData> {
    const imported = await importNodeData(this.#deps.dataFolder, from, this.id);
    await this.#settings.readAgain();
    return imported;
  }

  /** Starts it and shows a failure in its state, for whoever does not wait for it. */
  startSoon(): void {
    // Whoever looks at its state sees why.
    this.start().catch(() => {});
  }

  /**
   * Takes the plugin's file as it is now. What arrives meanwhile waits and is given to the new version; when that does
   * not start, the old one goes on.
   *
   * @throws signalk/not-running it is just being started
   * @throws …                   as `start`: why the new version was not taken
   */
  async reload(): Promise<void> {
    if (this.#state === "starting" || this.#isReloading) throw this.#notRunning();
    const artifact = await readArtifact(this.manifest);
    const next = await this.#open(artifact);
    let description: Description;
    try {
      description = await describe(this.id, next);
      this.#public = await publicFolder(this.manifest);
    } catch (error) {
      next.close();
      throw error;
    }
    if (this.#session === undefined) next.close();
    else await this.#swap(next);
    this.#artifact = artifact;
    this.#description = description;
  }

  /**
   * Asks the guest in its turn.
   *
   * @throws signalk/not-running signalk/busy signalk/no-turn
   */
  ask<Result>(use: (guest: SignalkGuest) => Answer<Result>): Promise<Result> {
    if (this.#session === undefined) return Promise.reject(this.#notRunning());
    return this.#turns.ask(() => this.#call(use));
  }

  /** A file of those that it serves. */
  async file(request: EndpointRequest): Promise<EndpointResponse | undefined> {
    const files = this.#run?.files;
    return files && fileAnswer(files, request);
  }

  /** Answers an HTTP request below `/plugins/{id}`; undefined when the plugin serves no such path. */
  async serve(request: EndpointRequest): Promise<EndpointResponse | undefined> {
    // What it serves is known when it has started.
    if (this.#state === "starting") await this.#turns.ask(() => undefined);
    const answered = await answerRequest(
      { endpoints: this.#run?.endpoints ?? [], ask: (use) => this.ask(use) },
      request,
    );
    return answered ?? this.file(request);
  }

  async #begin(): Promise<void> {
    this.#state = "starting";
    this.#status.said("Starting");
    this.#turns.pause();
    const begin = ++this.#begins;
    try {
      this.#artifact ??= await readArtifact(this.manifest);
      const session = await this.#open(this.#artifact);
      // Stopped meanwhile, and perhaps begun again.
      if (begin !== this.#begins) return session.close();
      this.#session = session;
      this.#description = await describe(this.id, session);
      await this.#startGuest(session);
      await this.#beginRun(session);
    } catch (error) {
      // A stop in between has closed the guest: that is no failure of it.
      if (begin !== this.#begins) return;
      if (this.state === "starting") this.#giveUp(error);
      throw error;
    }
  }

  #giveUp(error: unknown): void {
    this.#state = "error";
    this.#closeSession();
    this.#status.complain(reasonOf(error));
  }

  /** Not in turns: they are paused until it is over. */
  async #startGuest(session: Session): Promise<void> {
    const text = this.#settings.startText();
    const status = await this.#calls.call(session, (guest) => guest.start(text));
    if (status !== 0) throw signalkErrors["start-refused"]({ plugin: this.id, status });
  }

  async #beginRun(session: Session): Promise<void> {
    const { server, clock } = this.#deps;
    const endpoints = await servedEndpoints(this.id, session);
    if (session !== this.#session) throw this.#notRunning();
    this.#state = "running";
    this.#restarts.started();
    if (this.#status.text === "Starting") this.#status.tell("Running");
    this.#run = new Run({
      plugin: this.id,
      session,
      server,
      clock,
      endpoints,
      publicFiles: this.#public,
      onDelta: (published) => this.#turns.post(published),
      ask: (use) => this.ask(use),
    });
    this.#turns.resume();
  }

  #endRun(): void {
    this.#run?.close();
    this.#run = undefined;
  }

  #closeSession(): void {
    this.#endRun();
    this.#session?.close();
    this.#session = undefined;
    this.#turns.clear(this.#notRunning());
  }

  async #swap(next: Session): Promise<void> {
    const old = this.#session;
    this.#turns.pause();
    this.#isReloading = true;
    try {
      if (old !== undefined) await this.#sayGoodbye(old);
      old?.close();
      this.#session = next;
      await this.#startGuest(next);
      this.#endRun();
      await this.#beginRun(next);
    } catch (error) {
      next.close();
      this.#endRun();
      if (this.#state !== "stopped") await this.#begin();
      throw error;
    } finally {
      this.#isReloading = false;
    }
  }

  #deliver(delta: GuestText, nowMs: number): Answer<unknown> {
    const session = this.#session;
    if (session?.guest.takeDelta === undefined) return undefined;
    this.#deltas++;
    return this.#calls.giveDelta(session, delta, this.#deps.guestClock?.(nowMs));
  }

  #call<Result>(use: (guest: SignalkGuest) => Answer<Result>): Answer<Result> {
    const session = this.#session;
    if (session === undefined) throw this.#notRunning();
    return this.#calls.call(session, use);
  }

  /** A guest that fails has crashed, whatever it was asked. */
  #failed(session: Session, error: unknown): void {
    // While it is replaced, the one that replaces it decides what a failure means.
    if (!session.guest.isLost || session !== this.#session || this.#isReloading) return;
    this.#closeSession();
    const waitMs = this.#restarts.crashed(() => {
      this.#begin().catch(() => {});
    });
    this.#state = waitMs === undefined ? "error" : "crashed";
    const next =
      waitMs === undefined ? "too often, and stays stopped" : `and starts again in ${waitMs / 1_000} s`;
    this.#status.complain(`It crashed ${next}: ${reasonOf(error)}`);
  }

  /** `plugin_stop`; a guest that fails in it goes all the same. */
  async #sayGoodbye(session: Session): Promise<void> {
    if (session.guest.isLost || session.guest.isWaiting || this.#state !== "running") return;
    try {
      session.beginCall();
      await session.guest.stop();
    } catch (error) {
      this.#deps.log(this.id, "warn", `plugin_stop failed: ${reasonOf(error)}`);
    }
  }

  #open(artifact: Artifact): Promise<Session> {
    const options = {
      plugin: this.id,
      artifact,
      grants: this.grants,
      settings: this.#settings,
      log: (level: "debug" | "warn" | "error", text: string) => {
        if (level !== "debug" || this.settings.enableDebug) this.#deps.log(this.id, level, text);
      },
      ask: <Result>(use: (guest: SignalkGuest) => Answer<Result>) => this.ask(use),
      onStatus: (message: string) => this.#status.said(message),
    };
    return openPluginSession(options, this.#deps);
  }

  #notRunning(): RemoraError {
    return signalkErrors["not-running"]({ plugin: this.id, state: this.#state });
  }
}
