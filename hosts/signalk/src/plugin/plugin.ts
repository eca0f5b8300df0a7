/**
 * One plugin and its life: loaded, started, called in turns, stopped; started again after a crash, with waits that
 * grow; replaced by a new version of its file while deltas and requests wait.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Answer } from "remora/abi";
import { isRemoraError, type RemoraError } from "remora/base";
import { type Artifact, defaultLimits, type Limits } from "remora/engine";
import { type Grant, harmless } from "remora/policy";
import type { AuditSink } from "remora/sandbox";
import type { Clock } from "../clock.ts";
import { signalkErrors } from "../errors.ts";
import { guestServer } from "../guest/guest-server.ts";
import { openSession, type Session } from "../guest/session.ts";
import type { SignalkGuest } from "../guest/signalk-guest.ts";
import type { ServerPort } from "../server-port.ts";
import { readArtifact } from "./artifact-file.ts";
import { type BackOff, backOffDefault, waitAfter } from "./back-off.ts";
import {
  type Endpoint,
  type EndpointRequest,
  type EndpointResponse,
  matchEndpoint,
  readEndpoints,
  readResponse,
} from "./endpoints.ts";
import { type GivenGrant, grantsOf } from "./grants.ts";
import type { PluginManifest } from "./manifest.ts";
import type { Pace } from "./pace.ts";
import {
  type PluginSettings,
  privateFolderOf,
  readSettings,
  settingsBytesMax,
  settingsFileOf,
  writeSettings,
} from "./settings-file.ts";
import { Turns } from "./turns.ts";

/** `crashed`: it waits to be started again. `error`: it does not, until somebody starts it. */
export type PluginState = "stopped" | "starting" | "running" | "crashed" | "error";

export interface PluginDeps {
  readonly server: ServerPort;
  /** Where settings and private folders are: signalk-server's own configuration folder. */
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly audit: AuditSink;
  readonly log: (plugin: string, level: "debug" | "warn" | "error", text: string) => void;
  readonly limits?: Partial<Limits>;
  readonly backOff?: BackOff;
  /** What the operator gives a plugin beyond what its manifest asks for. */
  readonly moreGrants?: (plugin: string) => readonly Grant[];
  /** What the operator takes away again; a grant for which it is true is not given. */
  readonly isWithheld?: (plugin: string, given: GivenGrant) => boolean;
  /** Networks that a granted name may lead to though they are not public. */
  readonly networkAddresses?: readonly string[];
}

/**
 * A guest runs on the event loop, so its deadline is what everybody else may have to wait. Fuel ends most of what runs
 * for too long before that, at the same instruction on a fast machine and on a slow one.
 */
export const signalkLimits: Limits = {
  ...defaultLimits,
  fuelMax: 50_000_000,
  deadlineMs: 20,
  memoryPagesMax: 512,
};

const pollMs = 1_000;
/** A call that waits for the network for longer than this is given up, and its guest with it. */
const waitMsMax = 120_000;

export class SignalkPlugin {
  readonly manifest: PluginManifest;
  readonly grants: readonly GivenGrant[];
  readonly #deps: PluginDeps;
  readonly #turns: Turns;
  #settings: PluginSettings;
  #artifact: Artifact | undefined;
  #name: string;
  #schema: unknown = {};
  #state: PluginState = "stopped";
  #status = "";
  #session: Session | undefined;
  #endpoints: readonly Endpoint[] = [];
  /** What ends with a run: the subscription, the poll timer. */
  #ends: (() => void)[] = [];
  #cancelRestart: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #isReloading = false;
  #crashes = 0;
  #startedMs = 0;
  #deltas = 0;

  constructor(manifest: PluginManifest, settings: PluginSettings, deps: PluginDeps) {
    this.manifest = manifest;
    this.#settings = settings;
    this.#deps = deps;
    this.#name = manifest.packageName;
    this.grants = [
      ...grantsOf(manifest.id, manifest.capabilities),
      ...(deps.moreGrants?.(manifest.id) ?? []).map((grant) => ({ grant, why: "operator" as const })),
    ].filter((given) => deps.isWithheld?.(manifest.id, given) !== true);
    this.#turns = new Turns({
      plugin: manifest.id,
      pace: deps.pace,
      deliver: (delta) => this.#deliver(delta),
    });
  }

  get id(): string {
    return this.manifest.id;
  }

  /** As the plugin calls itself; its package's name until it was loaded. */
  get name(): string {
    return this.#name;
  }

  /** JSON Schema of its configuration. */
  get schema(): unknown {
    return this.#schema;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** What the plugin said last, or why it does not run. */
  get statusMessage(): string {
    return this.#status;
  }

  get settings(): PluginSettings {
    return this.#settings;
  }

  get counts(): { readonly deltas: number; readonly lost: number; readonly crashes: number } {
    return { deltas: this.#deltas, lost: this.#turns.lostCount, crashes: this.#crashes };
  }

  /**
   * Reads the plugin's file, and asks it for its name and its schema in a guest that is thrown away.
   *
   * @throws signalk/no-wasm signalk/wasm-too-large the file
   * @throws wasm/… policy/… engine/… abi/… signalk/not-a-plugin it cannot be taken
   */
  async load(): Promise<void> {
    try {
      await this.#makeFolders();
      const artifact = await readArtifact(this.manifest);
      const session = this.#open(artifact);
      try {
        this.#describe(session);
      } finally {
        session.close();
      }
      this.#artifact = artifact;
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
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    if (this.#state === "running" || this.#state === "starting") return;
    this.#crashes = 0;
    await this.#begin();
  }

  /** Stops the plugin; what it registered is gone, whatever its `plugin_stop` does. */
  async stop(): Promise<void> {
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    const session = this.#session;
    if (session === undefined) {
      this.#state = "stopped";
      return;
    }
    this.#endRun();
    await this.#sayGoodbye(session);
    this.#closeSession();
    this.#state = "stopped";
    this.#status = "Stopped";
  }

  /**
   * Keeps new settings, and starts or stops the plugin as they say. Resolves when they are kept and the plugin was
   * called; it may still be starting then.
   */
  async configure(settings: PluginSettings): Promise<void> {
    await writeSettings(settingsFileOf(this.#deps.dataFolder, this.id), settings);
    this.#settings = settings;
    await this.stop();
    if (settings.enabled) this.startSoon();
  }

  /** Takes the settings from their file, where somebody else has written them. */
  async readSettings(): Promise<void> {
    this.#settings = await readSettings(settingsFileOf(this.#deps.dataFolder, this.id));
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
   * @throws … as `start`: why the new version was not taken
   */
  async reload(): Promise<void> {
    const artifact = await readArtifact(this.manifest);
    const next = this.#open(artifact);
    const previous = this.#artifact;
    try {
      this.#describe(next);
    } catch (error) {
      next.close();
      throw error;
    }
    this.#artifact = artifact;
    if (this.#session === undefined) {
      next.close();
      return;
    }
    await this.#swap(next, previous);
  }

  /**
   * Asks the guest in its turn.
   *
   * @throws signalk/not-running signalk/busy
   */
  ask<Result>(use: (guest: SignalkGuest) => Answer<Result>): Promise<Result> {
    if (this.#session === undefined) return Promise.reject(this.#notRunning());
    return this.#turns.ask(() => this.#call(use));
  }

  /** Answers an HTTP request below `/plugins/{id}`; undefined when the plugin serves no such path. */
  async serve(request: EndpointRequest): Promise<EndpointResponse | undefined> {
    const found = matchEndpoint(this.#endpoints, request.method, request.path);
    if (found === undefined) return undefined;
    const { method, path, query, body, headers } = request;
    const { handler } = found.endpoint;
    const json = JSON.stringify({ method, path, query, params: found.params, body, headers });
    const answer = await this.ask((guest) => {
      if (guest.has(handler)) return guest.answer(handler, json);
      throw signalkErrors["not-a-plugin"]({ plugin: this.id, missing: handler });
    });
    return readResponse(this.id, handler, answer);
  }

  async #begin(): Promise<void> {
    this.#state = "starting";
    this.#status = "Starting";
    this.#turns.pause();
    try {
      this.#artifact ??= await readArtifact(this.manifest);
      const session = this.#open(this.#artifact);
      this.#session = session;
      this.#describe(session);
      await this.#startGuest(session);
      this.#beginRun(session);
    } catch (error) {
      // A stop in between has closed the guest: that is no failure of it.
      if (this.#session === undefined && this.state === "stopped") return;
      if (this.state === "starting") this.#giveUp(error);
      throw error;
    }
  }

  #giveUp(error: unknown): void {
    this.#closeSession();
    this.#state = "error";
    this.#status = messageOf(error);
    this.#deps.log(this.id, "error", this.#status);
  }

  /** Not in turns: they are paused until it is over. */
  async #startGuest(session: Session): Promise<void> {
    const { configuration, enableDebug } = this.#settings;
    const json = JSON.stringify({ ...configuration, enableDebug });
    const status = await this.#callIn(session, (guest) => guest.start(json));
    if (status !== 0) throw signalkErrors["start-refused"]({ plugin: this.id, status });
  }

  #beginRun(session: Session): void {
    const { guest, sandbox } = session;
    const { server, clock } = this.#deps;
    this.#state = "running";
    this.#startedMs = clock.nowMs();
    if (this.#status === "Starting") this.#status = "Running";
    this.#endpoints = this.#readEndpoints(session);
    if (guest.takeDelta !== undefined && sandbox.gate.has("data.read")) {
      this.#ends.push(server.onDelta((published) => this.#turns.post(() => published.json)));
    }
    if (guest.poll !== undefined) this.#schedulePoll(guest.poll);
    this.#turns.resume();
  }

  #endRun(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#endpoints = [];
  }

  #closeSession(): void {
    this.#endRun();
    this.#session?.close();
    this.#session = undefined;
    this.#turns.clear(this.#notRunning());
  }

  async #swap(next: Session, previous: Artifact | undefined): Promise<void> {
    const old = this.#session;
    this.#turns.pause();
    this.#isReloading = true;
    this.#endPolling();
    try {
      if (old !== undefined) await this.#sayGoodbye(old);
      old?.close();
      this.#session = next;
      await this.#startGuest(next);
      this.#endRun();
      this.#beginRun(next);
    } catch (error) {
      next.close();
      this.#endRun();
      this.#artifact = previous;
      await this.#begin();
      throw error;
    } finally {
      this.#isReloading = false;
    }
  }

  #endPolling(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }

  #schedulePoll(poll: () => Answer<number>): void {
    const { clock } = this.#deps;
    const again = () => {
      this.#cancelPoll = clock.after(pollMs, () => {
        // A busy plugin is asked again when it is done: polls do not pile up.
        this.#turns.ask(() => this.#call(poll)).then(again, () => this.#state === "running" && again());
      });
    };
    again();
    this.#ends.push(() => this.#endPolling());
  }

  #deliver(delta: string): Answer<unknown> {
    const take = this.#session?.guest.takeDelta;
    if (take === undefined) return undefined;
    this.#deltas++;
    try {
      const done = this.#call(() => take(delta));
      // Its failure has been dealt with where it was called.
      return done instanceof Promise ? done.catch(() => {}) : done;
    } catch (error) {
      if (isRemoraError(error)) return undefined;
      throw error;
    }
  }

  #call<Result>(use: (guest: SignalkGuest) => Answer<Result>): Answer<Result> {
    const session = this.#session;
    if (session === undefined) throw this.#notRunning();
    return this.#callIn(session, use);
  }

  /** Calls a guest; when it fails, that is a crash, and its error is the caller's as well. */
  #callIn<Result>(session: Session, use: (guest: SignalkGuest) => Answer<Result>): Answer<Result> {
    session.beginCall();
    try {
      const answer = use(session.guest);
      if (!(answer instanceof Promise)) return answer;
      return this.#await(session, answer);
    } catch (error) {
      this.#failed(session, error);
      throw error;
    }
  }

  async #await<Result>(session: Session, answer: Promise<Result>): Promise<Result> {
    const cancel = this.#deps.clock.after(waitMsMax, () => session.guest.close());
    try {
      return await answer;
    } catch (error) {
      this.#failed(session, error);
      throw error;
    } finally {
      cancel();
    }
  }

  #failed(session: Session, error: unknown): void {
    // While it is replaced, the one that replaces it decides what a failure means.
    if (!session.guest.isPoisoned || session !== this.#session || this.#isReloading) return;
    const { clock, log, backOff = backOffDefault } = this.#deps;
    if (this.#state === "running" && clock.nowMs() - this.#startedMs >= backOff.forgivenAfterMs)
      this.#crashes = 0;
    this.#crashes++;
    this.#closeSession();
    const waitMs = waitAfter(this.#crashes, backOff);
    this.#state = waitMs === undefined ? "error" : "crashed";
    const what =
      waitMs === undefined ? "crashed too often and stays stopped" : `crashed, again in ${waitMs / 1_000} s`;
    this.#status = `${what}: ${messageOf(error)}`;
    log(this.id, "error", this.#status);
    if (waitMs === undefined) return;
    this.#cancelRestart = clock.after(waitMs, () => {
      this.#begin().catch(() => {});
    });
  }

  #describe({ guest }: Session): void {
    this.#name = harmless(guest.name(), 200) || this.manifest.packageName;
    const schema = guest.schema();
    if (schema.trim() === "") return;
    try {
      this.#schema = JSON.parse(schema);
    } catch (cause) {
      throw signalkErrors["bad-answer"](
        { plugin: this.id, name: "plugin_schema", expected: "JSON Schema" },
        cause,
      );
    }
  }

  /** Those that may be served; each refusal is in the audit. */
  #readEndpoints({ guest, sandbox }: Session): readonly Endpoint[] {
    if (guest.endpoints === undefined) return [];
    return readEndpoints(this.id, guest.endpoints()).filter(({ path }) =>
      sandbox.gate.act(
        "http.serve",
        `/plugins/${this.id}${path}`,
        () => true,
        () => false,
      ),
    );
  }

  /** `plugin_stop`; a guest that fails in it goes all the same. */
  async #sayGoodbye(session: Session): Promise<void> {
    if (session.guest.isPoisoned || session.guest.isWaiting || this.#state !== "running") return;
    try {
      session.beginCall();
      await session.guest.stop();
    } catch (error) {
      this.#deps.log(this.id, "warn", `plugin_stop failed: ${messageOf(error)}`);
    }
  }

  #open(artifact: Artifact): Session {
    const { dataFolder, audit, clock } = this.#deps;
    const grants: readonly Grant[] = this.grants.map(({ grant }) => grant);
    return openSession({
      plugin: this.id,
      artifact,
      limits: { ...signalkLimits, ...this.#deps.limits },
      grants,
      privateFolder: privateFolderOf(dataFolder, this.id),
      networkAddresses: this.#deps.networkAddresses ?? [],
      server: guestServer(this.#deps.server, this.#deps.pace, (message) => {
        this.#status = harmless(message, 1_000);
      }),
      settings: {
        read: () => JSON.stringify(this.#settings.configuration ?? {}),
        save: (json) => this.#save(json),
      },
      audit,
      log: (level, text) => {
        if (level !== "debug" || this.#settings.enableDebug) this.#deps.log(this.id, level, text);
      },
      ask: (use) => this.ask(use),
      nowMs: () => clock.date().getTime(),
    });
  }

  /** The guest's own change of its configuration; it is not started anew for it. */
  #save(json: string): boolean {
    if (json.length > settingsBytesMax) return false;
    let configuration: unknown;
    try {
      configuration = JSON.parse(json);
    } catch {
      // The guest is told with a number.
      return false;
    }
    if (typeof configuration !== "object" || configuration === null || Array.isArray(configuration))
      return false;
    this.#settings = { ...this.#settings, configuration: { ...configuration } };
    writeSettings(settingsFileOf(this.#deps.dataFolder, this.id), this.#settings).catch((error: unknown) =>
      this.#deps.log(this.id, "error", messageOf(error)),
    );
    return true;
  }

  /** Before the first guest: what it finds below its root. */
  async #makeFolders(): Promise<void> {
    if (!this.grants.some(({ grant }) => grant.capability === "fs.private")) return;
    const root = privateFolderOf(this.#deps.dataFolder, this.id);
    for (const name of ["data", "config", "tmp"]) await mkdir(join(root, name), { recursive: true });
  }

  #notRunning(): RemoraError {
    return signalkErrors["not-running"]({ plugin: this.id, state: this.#state });
  }
}

function messageOf(error: unknown): string {
  return harmless(error instanceof Error ? error.message : String(error), 1_000);
}
