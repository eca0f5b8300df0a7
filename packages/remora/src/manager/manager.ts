/**
 * The manager: installs plugins, keeps them running, replaces them while they run, and remembers all of it in one
 * folder. Changes of one plugin come one after the other; calls never wait for them.
 */

import { isRemoraError, nearNames } from "../base/index.ts";
import { type Json, openBundle } from "../bundle/index.ts";
import { type Grant, parseGrant } from "../policy/index.ts";
import type { AuditTrail } from "./audit/trail.ts";
import type { EventBus } from "./bus/event-bus.ts";
import type { CallObserver } from "./call-observer.ts";
import type { ConsentItem, ConsentRequest } from "./consent/asker.ts";
import { mergeGrants, withoutGrants } from "./consent/decide-request.ts";
import { type Core, collectBundles, prepare, writeEntry } from "./core.ts";
import { watchPath } from "./dev/watch.ts";
import { inStep, managerErrors } from "./errors.ts";
import { dependents } from "./install/dependencies.ts";
import { type PluginRef, resolveName } from "./install/fetch.ts";
import { acceptHeld, heldRequest, refuseHeld } from "./install/held.ts";
import { change, type InstallOptions, install, installFirst, trustHere } from "./install/install.ts";
import type { ManagedPlugin } from "./managed-plugin.ts";
import type { ManagerListener } from "./manager-event.ts";
import type { PluginDetails, PluginInfo } from "./plugin-info.ts";
import { checkSettings } from "./settings/settings.ts";
import type { SharedState } from "./shared-state/shared-state.ts";
import type { Entry, InstalledVersion } from "./store/entry.ts";
import { codeOf } from "./store/file-system.ts";
import type { Held } from "./store/holder.ts";
import { finishRemoval, type Recovered } from "./store/recover.ts";

export class Manager {
  /** How each operation came out that a killed manager was in. Empty when the last one was closed. */
  readonly recovered: readonly Recovered[];
  /** What happened, in hash-linked lines; undefined when it was opened with an `audit` of its embedding's own. */
  readonly trail: AuditTrail | undefined;
  readonly #core: Core;
  readonly #held: Held;
  readonly #watches = new Set<() => void>();
  #isClosed = false;

  /** Use `openManager`. */
  constructor(core: Core, held: Held, recovered: readonly Recovered[], trail: AuditTrail | undefined) {
    this.#core = core;
    this.#held = held;
    this.recovered = recovered;
    this.trail = trail;
  }

  /** The folder that it keeps everything in. */
  get folder(): string {
    return this.#core.folder.path;
  }

  /** Between its plugins: the host publishes and hears there as they do, without a gate of its own. */
  get bus(): EventBus {
    return this.#core.bus;
  }

  /** Values that its plugins share; gone with the manager. */
  get sharedState(): SharedState {
    return this.#core.state;
  }

  /** @returns Ends it. */
  listen(listener: ManagerListener): () => void {
    return this.#core.events.listen(listener);
  }

  /**
   * Puts something around each call of a plugin, for tracing.
   *
   * @returns Ends it.
   */
  observeCalls(observer: CallObserver): () => void {
    return this.#core.observers.add(observer);
  }

  /** All plugins, by name. */
  list(): PluginInfo[] {
    return [...this.#core.entries.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => this.#info(entry));
  }

  /**
   * A plugin to call, whether it runs or not; the same object for as long as it is installed.
   *
   * @throws manager/no-such-plugin with near names
   */
  get<Calls = unknown>(name: string): ManagedPlugin<Calls> {
    this.#entryOf(name);
    // The host that asks is the one whose world's binding made the calls.
    return this.#core.pluginOf(name) as ManagedPlugin<Calls>;
  }

  has(name: string): boolean {
    return this.#core.entries.has(name);
  }

  info(name: string): PluginInfo {
    return this.#info(this.#entryOf(name));
  }

  /** The version that runs and those to go back to, the last one first. @throws manager/no-such-plugin */
  versions(name: string): {
    readonly current: InstalledVersion | undefined;
    readonly previous: readonly InstalledVersion[];
  } {
    const { current, previous } = this.#entryOf(name);
    return { current, previous };
  }

  /** Reads its bundle. @throws manager/no-such-plugin manager/store-damaged manager/folder */
  async details(name: string): Promise<PluginDetails> {
    const entry = this.#entryOf(name);
    const { current, previous, grants, refused } = entry;
    const shown = current ?? entry.held;
    const bytes = shown && (await this.#core.store.read(shown.sha256));
    const bundle = bytes && openBundle(bytes, { vocabulary: this.#core.vocabulary });
    return {
      ...this.#info(entry),
      current,
      previous,
      grants,
      refused,
      manifest: bundle?.manifest,
      trust: bundle && trustHere(bundle, this.#core),
      settings: await this.#core.settings.read(name),
      neededBy: [...dependents(name, this.#core.entries).keys()],
    };
  }

  /**
   * Installs a plugin, or another version of one that is installed: resolve, fetch, verify, inspect, decide, place,
   * prepare, hand over, swap. Resolves when the new version serves.
   *
   * @param ref A bundle's path, a plugin's folder, a name with a range (`geofence@^1.2.0`), or bytes.
   * @throws manager/resolve manager/fetch manager/verify manager/inspect manager/decide manager/place
   *         manager/prepare manager/hand-over manager/swap  the step that failed, with the reason as its cause; what
   *         ran goes on
   */
  install<Calls = unknown>(ref: PluginRef, options: InstallOptions = {}): Promise<ManagedPlugin<Calls>> {
    this.#checkOpen();
    return install(ref, this.#core, options) as Promise<ManagedPlugin<Calls>>;
  }

  /**
   * Installs the newest version that the sources have and that can run here.
   *
   * @param range Of versions. Default: all but pre-releases.
   * @returns     The version that runs now, and whether it is another one.
   * @throws as `install`; manager/no-such-plugin
   */
  async update(
    name: string,
    range = "*",
    options: InstallOptions = {},
  ): Promise<{ version: string; isNew: boolean }> {
    this.#checkOpen();
    const before = this.#entryOf(name).current;
    const { sources } = this.#core;
    const found = await inStep("resolve", name, () => resolveName(name, range, sources));
    const at = found.findIndex(({ offered }) => offered.digest === before?.digest);
    const newer = at < 0 ? found : found.slice(0, at);
    if (newer.length > 0) await installFirst(newer, name, this.#core, options);
    const { version = "" } = this.#entryOf(name).current ?? {};
    return { version, isNew: newer.length > 0 };
  }

  /**
   * Runs a kept version again: steps 7 to 9.
   *
   * @param version Default: the last one that ran before and was not taken back for a failure.
   * @throws manager/no-such-version with those that are kept
   * @throws manager/prepare manager/hand-over manager/swap the version that ran goes on
   */
  async rollback<Calls = unknown>(name: string, version?: string): Promise<ManagedPlugin<Calls>> {
    this.#checkOpen();
    return this.#core.alone(name, async () => {
      const before = this.#entryOf(name);
      const target = before.previous.find((one) =>
        version === undefined ? one.failedWith === undefined : one.version === version,
      );
      if (target === undefined) throw noSuchVersion(before, version);
      const candidate = { ...target, operation: "rollback" as const, failedWith: undefined };
      const entry = { ...before, candidate };
      await inStep("place", name, () => writeEntry(this.#core, entry));
      const plugin = await change({ entry, before }, this.#core, { state: true });
      return plugin as ManagedPlugin<Calls>;
    });
  }

  /**
   * Removes a plugin.
   *
   * @param options `data: true` removes its files, keys and settings too; else the next install finds them.
   * @throws manager/needed-by manager/no-such-plugin manager/folder
   */
  async remove(name: string, options: { readonly data?: boolean } = {}): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, async () => {
      const entry = this.#entryOf(name);
      this.#checkUnneeded(name, "remove");
      const removed = { ...entry, isRemoved: true, removesData: options.data ?? false, candidate: undefined };
      // From this rename on it is removed, whatever happens to what follows.
      await this.#core.files.write(removed);
      this.#core.entries.delete(name);
      await this.#core.plugins.get(name)?.stop();
      this.#core.plugins.delete(name);
      await finishRemoval(removed, this.#core.folder, this.#core.files);
      await collectBundles(this.#core);
      this.#tell(name, { kind: "changed", operation: "remove", from: entry.current?.version ?? "", to: "" });
    });
  }

  /** Runs a plugin that was disabled. @throws manager/no-such-plugin manager/prepare manager/folder */
  async enable(name: string): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, async () => {
      const entry = this.#entryOf(name);
      const plugin = this.#core.pluginOf(name);
      const { current, grants } = entry;
      if (!entry.isEnabled) await writeEntry(this.#core, { ...entry, isEnabled: true });
      if (current !== undefined && plugin.serving === undefined) {
        await inStep("prepare", name, () =>
          plugin.start(() => prepare(this.#core, { name, version: current, grants })),
        );
      }
      if (!entry.isEnabled) this.#tell(name, { kind: "enabled" });
    });
  }

  /** Stops a plugin, until `enable`. @throws manager/needed-by manager/no-such-plugin manager/folder */
  async disable(name: string): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, async () => {
      const entry = this.#entryOf(name);
      if (!entry.isEnabled) return;
      this.#checkUnneeded(name, "disable");
      await writeEntry(this.#core, { ...entry, isEnabled: false });
      await this.#core.pluginOf(name).stop();
      this.#tell(name, { kind: "disabled" });
    });
  }

  /**
   * Makes the version that runs anew, with the settings and grants of now, while it serves.
   *
   * @param options `state: false` lets it begin without what it kept in memory.
   * @throws manager/prepare manager/hand-over what ran goes on
   */
  async reload(name: string, options: { readonly state?: boolean } = {}): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, () => this.#remake(this.#entryOf(name), options.state ?? true));
  }

  /** What it was given, beyond what the policy gives to all. */
  grants(name: string): readonly Grant[] {
    return this.#entryOf(name).grants;
  }

  /**
   * Gives a plugin more, and makes it anew with it.
   *
   * @throws policy/… the grant is not one of this host
   * @throws manager/prepare manager/hand-over it could not be made with it; nothing was given
   */
  async give(name: string, grant: unknown): Promise<void> {
    const { vocabulary } = this.#core;
    const given = parseGrant(grant, "grant", vocabulary);
    await this.#changeGrants(name, "granted", given, ({ grants, refused }) => ({
      grants: mergeGrants(vocabulary, grants, [given]),
      refused: withoutGrants(refused, [given], vocabulary),
    }));
  }

  /**
   * Takes from a plugin what it was given, and makes it anew without it. A grant without targets takes the capability.
   *
   * @throws policy/… manager/prepare manager/hand-over it cannot be made without it; disable it instead
   */
  async revoke(name: string, grant: Grant): Promise<void> {
    const { vocabulary } = this.#core;
    await this.#changeGrants(name, "revoked", grant, ({ grants, refused }) => {
      const left = withoutGrants(grants, [grant], vocabulary);
      const taken = withoutGrants(grants, left, vocabulary);
      return { grants: left, refused: mergeGrants(vocabulary, refused, taken) };
    });
  }

  /** As they are kept: with references in place of secrets; undefined when nobody made any. */
  async settings(name: string): Promise<Json | undefined> {
    this.#entryOf(name);
    return this.#core.settings.read(name);
  }

  /**
   * Changes the settings of a plugin, while it runs.
   *
   * @param settings All of them. A secret is written `{ "secret": "NAME" }`.
   * @throws manager/settings all that is wrong with them
   * @throws manager/prepare manager/hand-over it does not take them; those before stay
   */
  async changeSettings(name: string, settings: Json): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, async () => {
      const entry = this.#entryOf(name);
      const { current, held } = entry;
      const version = current ?? held;
      if (version === undefined) return;
      const bytes = await this.#core.store.read(version.sha256);
      const { manifest } = openBundle(bytes, { vocabulary: this.#core.vocabulary });
      checkSettings(name, manifest.settings, settings);
      await this.#remake(entry, true, settings);
      await this.#core.settings.write(name, settings);
      this.#tell(name, { kind: "settings" });
    });
  }

  /**
   * Installs a plugin again whenever its file or folder changes, until what it gives back is called: for whoever
   * writes one. What cannot take over is told as an event, and what runs goes on.
   *
   * @param path    A bundle or a plugin's folder, as `install` takes it.
   * @param refOf   What to install for it. Default: what is at the path.
   * @throws manager/folder there is nothing at that path
   */
  watch(path: string, refOf: () => Promise<PluginRef> = async () => path): () => void {
    this.#checkOpen();
    let name = path;
    const take = async () => {
      name = (await this.install(await refOf())).name;
    };
    const refused = (error: unknown) =>
      managerErrors.folder({ doing: "watch", path, reason: codeOf(error) ?? String(error) }, error);
    const onError = (error: unknown) => {
      const { code, message: reason } = isRemoraError(error) ? error : refused(error);
      this.#tell(name, { kind: "trouble", code, reason });
    };
    try {
      const stop = watchPath(path, { clock: this.#core.clock, take, onError });
      this.#watches.add(stop);
      return () => {
        stop();
        this.#watches.delete(stop);
      };
    } catch (error) {
      throw refused(error);
    }
  }

  /** Versions that wait for consent, and what each wants. */
  async held(): Promise<readonly ConsentRequest[]> {
    const requests: ConsentRequest[] = [];
    for (const entry of this.#core.entries.values()) {
      const request = await heldRequest(entry, this.#core);
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  /**
   * Gives a held version what it wants, or some of it, and runs it.
   *
   * @param items What is given of what it wants. Default: all.
   * @throws manager/no-such-consent and as `install`
   */
  accept(
    name: string,
    items?: readonly Pick<ConsentItem, "capability" | "target">[],
  ): Promise<ManagedPlugin> {
    this.#checkOpen();
    return acceptHeld(this.#entryOf(name), items, this.#core);
  }

  /** Gives a held version nothing; it is forgotten, and what runs goes on. @throws manager/no-such-consent */
  refuse(name: string): Promise<void> {
    this.#checkOpen();
    return refuseHeld(this.#entryOf(name), this.#core);
  }

  /** Stops all plugins, those that need others first, and lets go of the folder. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stop of this.#watches) stop();
    for (const plugin of [...this.#core.plugins.values()].reverse()) {
      await this.#core.alone(plugin.name, () => plugin.stop());
    }
    this.trail?.close();
    await this.#core.closeIsolations();
    await this.#held.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Steps 7 to 9 with the version that runs. */
  async #remake(entry: Entry, state: boolean, settings?: Json): Promise<void> {
    const { name, current: version, grants, isEnabled } = entry;
    if (version === undefined) return;
    const plugin = this.#core.pluginOf(name);
    const startedMs = this.#core.clock.monotonicMs();
    const next = await inStep("prepare", name, () =>
      prepare(this.#core, { name, version, grants, settings }),
    );
    if (!isEnabled) return next.drain();
    const hasState = await inStep("hand-over", name, () => plugin.takeOver(next, { state }));
    plugin.settle({ hasProbation: false });
    plugin.countReload();
    const tookMs = this.#core.clock.monotonicMs() - startedMs;
    this.#tell(name, { kind: "reloaded", version: version.version, tookMs, state: hasState });
  }

  async #changeGrants(
    name: string,
    kind: "granted" | "revoked",
    grant: Grant,
    next: (entry: Entry) => Pick<Entry, "grants" | "refused">,
  ): Promise<void> {
    this.#checkOpen();
    await this.#core.alone(name, async () => {
      const before = this.#entryOf(name);
      const entry = { ...before, ...next(before) };
      await this.#remake(entry, true);
      await writeEntry(this.#core, entry);
      this.#tell(name, { kind, grants: [grant] });
    });
  }

  #info(entry: Entry): PluginInfo {
    const plugin = this.#core.pluginOf(entry.name);
    const { failure } = plugin;
    return {
      name: entry.name,
      version: entry.current?.version,
      host: entry.host,
      isEnabled: entry.isEnabled,
      state: plugin.state,
      breaker: plugin.breaker,
      isOnProbation: plugin.isOnProbation,
      held: entry.held?.version,
      failure: failure && { code: failure.code, message: failure.message },
      counts: plugin.counts(),
    };
  }

  #entryOf(name: string): Entry {
    const { entries } = this.#core;
    const entry = entries.get(name);
    if (entry !== undefined) return entry;
    throw managerErrors["no-such-plugin"]({ name, near: nearNames(name, entries.keys()) });
  }

  #checkUnneeded(name: string, what: string): void {
    const by = [...dependents(name, this.#core.entries).keys()].filter(
      (one) => this.#core.entries.get(one)?.isEnabled,
    );
    if (by.length > 0) throw managerErrors["needed-by"]({ plugin: name, by, what });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw managerErrors.closed({ folder: this.folder });
  }

  #tell(plugin: string, event: Told): void {
    this.#core.events.tell({ ...event, plugin, atMs: this.#core.clock.dateMs() });
  }
}

type Told =
  | { kind: "changed"; operation: "remove"; from: string; to: string }
  | { kind: "reloaded"; version: string; tookMs: number; state: boolean }
  | { kind: "granted" | "revoked"; grants: readonly Grant[] }
  | { kind: "trouble"; code: string; reason: string }
  | { kind: "settings" | "enabled" | "disabled" };

function noSuchVersion({ name, previous }: Entry, version = "a version that did not fail"): Error {
  const kept = previous.map((one) =>
    one.failedWith === undefined ? one.version : `${one.version} (${one.failedWith})`,
  );
  return managerErrors["no-such-version"]({ plugin: name, version, kept });
}
