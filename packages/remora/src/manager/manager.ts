/**
 * The manager: installs plugins, keeps them running, replaces them while they run, and remembers all of it in one
 * folder. Changes of one plugin come one after the other; calls never wait for them.
 */

import { type Bundle, type Json, openBundle } from "../bundle/index.ts";
import type { Grant } from "../policy/index.ts";
import type { AuditTrail } from "./audit/trail.ts";
import type { EventBus } from "./bus/event-bus.ts";
import type { CallObserver } from "./call-observer.ts";
import { changeSettings, give, keepSettings, reload, revoke } from "./changes/remake.ts";
import { remove } from "./changes/remove.ts";
import { rollback } from "./changes/rollback.ts";
import { disable, enable } from "./changes/switch.ts";
import { update } from "./changes/update.ts";
import type { Answered, ConsentItem, ConsentRequest } from "./consent/asker.ts";
import { type Core, entryOf } from "./core.ts";
import { watchPlugin } from "./dev/watch-plugin.ts";
import { startOrder } from "./install/dependencies.ts";
import type { PluginRef } from "./install/fetch.ts";
import { acceptHeld, heldRequest, refuseHeld } from "./install/held.ts";
import { type InstallOptions, install } from "./install/install.ts";
import type { ManagedPlugin } from "./managed-plugin.ts";
import type { ManagerListener } from "./manager-event.ts";
import { detailsOf, infoOf, type PluginDetails, type PluginInfo, settingsShown } from "./plugin-info.ts";
import type { SharedState } from "./shared-state/shared-state.ts";
import type { InstalledVersion, KeptVersion } from "./store/entry.ts";
import type { Held } from "./store/holder.ts";
import type { Recovered } from "./store/recover.ts";

export class Manager {
  /** How each operation came out that a killed manager was in. Empty when the last one was closed. */
  readonly recovered: readonly Recovered[];
  /** What happened, in hash-linked lines; undefined when it was opened with an `audit` of its embedding's own. */
  readonly trail: AuditTrail | undefined;
  readonly #core: Core;
  readonly #held: Held;
  readonly #watches = new Set<() => void>();
  #closed: Promise<void> | undefined;

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
      .map((entry) => infoOf(entry, this.#core));
  }

  /**
   * A plugin to call, whether it runs or not; the same object for as long as it is installed.
   *
   * @throws manager/no-such-plugin with near names
   */
  get<Calls = unknown>(name: string): ManagedPlugin<Calls> {
    entryOf(this.#core, name);
    // The host that asks is the one whose world's binding made the calls.
    return this.#core.pluginOf(name) as ManagedPlugin<Calls>;
  }

  has(name: string): boolean {
    return this.#core.entries.has(name);
  }

  info(name: string): PluginInfo {
    return infoOf(entryOf(this.#core, name), this.#core);
  }

  /** The version that runs and those to go back to, the last one first. @throws manager/no-such-plugin */
  versions(name: string): {
    readonly current: InstalledVersion | undefined;
    readonly previous: readonly KeptVersion[];
  } {
    const { current, previous } = entryOf(this.#core, name);
    return { current, previous };
  }

  /** Reads its bundle. @throws manager/no-such-plugin manager/store-damaged manager/folder */
  async details(name: string): Promise<PluginDetails> {
    return detailsOf(entryOf(this.#core, name), this.#core);
  }

  /**
   * The bundle of the version that runs or would run, to read its files; undefined while a first version is held.
   *
   * @throws manager/no-such-plugin manager/store-damaged manager/folder
   */
  async bundle(name: string): Promise<Bundle | undefined> {
    const { current } = entryOf(this.#core, name);
    const bytes = current && (await this.#core.store.read(current.sha256));
    return bytes && openBundle(bytes, { vocabulary: this.#core.vocabulary });
  }

  /**
   * The folder that a plugin with `fs.private` has as its root: for a host that brings it files. What is written there
   * counts for the plugin's quota when it is made anew.
   *
   * @throws manager/no-such-plugin
   */
  filesFolder(name: string): string {
    entryOf(this.#core, name);
    return this.#core.folder.at("data", name, "files");
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
    return this.#doing(() => install(ref, this.#core, options)) as Promise<ManagedPlugin<Calls>>;
  }

  /**
   * Installs the newest version that the sources have and that can run here, if it is higher than the one that runs.
   *
   * @param range Of versions. Default: all but pre-releases.
   * @returns     The version that runs now, and whether it is another one.
   * @throws manager/no-such-plugin
   * @throws manager/no-source no source has it in that range
   * @throws as `install`
   */
  async update(
    name: string,
    range = "*",
    options: InstallOptions = {},
  ): Promise<{ version: string; isNew: boolean }> {
    return this.#doing(() => update(name, range, this.#core, options));
  }

  /**
   * Runs a kept version again: the steps of an install but the fifth. Nobody is asked, for it was accepted when it came; one by another
   * publisher than that of the version that runs has what was given to that one, and is told as that (`publisher`).
   *
   * @param version As in its manifest, or its digest. Default: the last one that ran before and was not taken back for a
   *                failure.
   * @throws manager/ambiguous-version several publishers have one of that number
   * @throws manager/no-such-version with those that are kept
   * @throws manager/fetch manager/verify it is damaged, or its publisher is not trusted here any more
   * @throws manager/resolve manager/inspect somebody needs another version, or it needs what is not there any more
   * @throws manager/prepare manager/hand-over manager/swap the version that ran goes on
   */
  async rollback<Calls = unknown>(name: string, version?: string): Promise<ManagedPlugin<Calls>> {
    return this.#doing(() => rollback(name, version, this.#core)) as Promise<ManagedPlugin<Calls>>; // as in `get`
  }

  /**
   * Removes a plugin.
   *
   * @param options `data: true` removes its files, keys and settings too; else the next install finds them.
   * @throws manager/needed-by manager/no-such-plugin
   * @throws manager/folder it is as it was; or it is gone (`has`) and something of it is left, which goes when it is removed
   *         once more, before another one comes under its name, or with the next start
   */
  async remove(name: string, options: { readonly data?: boolean } = {}): Promise<void> {
    await this.#doing(() => remove(name, options, this.#core));
  }

  /**
   * Runs a plugin that was disabled, or at once one that waits for its next try.
   *
   * @throws manager/no-such-plugin manager/folder
   * @throws manager/unmet-needs what it needs is disabled, or not there
   * @throws manager/prepare it cannot be made: what was disabled stays so, what waited waits again
   */
  async enable(name: string): Promise<void> {
    await this.#doing(() => enable(name, this.#core));
  }

  /** Stops a plugin, until `enable`. @throws manager/needed-by manager/no-such-plugin manager/folder */
  async disable(name: string): Promise<void> {
    await this.#doing(() => disable(name, this.#core));
  }

  /**
   * Makes the version that runs anew, with the settings and grants of now, while it serves.
   *
   * @param options `state: false` lets it begin without what it kept in memory.
   * @throws manager/no-such-plugin
   * @throws manager/nothing-to-reload it is disabled or was not started, or its first version waits for consent
   * @throws manager/unmet-needs what it needs is disabled, or not there
   * @throws manager/prepare manager/hand-over what ran goes on
   */
  async reload(name: string, options: { readonly state?: boolean } = {}): Promise<void> {
    await this.#doing(() => reload(name, options, this.#core));
  }

  /** What it was given, beyond what the policy gives to all. */
  grants(name: string): readonly Grant[] {
    return entryOf(this.#core, name).grants;
  }

  /**
   * Gives a plugin more, and makes it anew with it.
   *
   * @throws policy/… the grant is not one of this host
   * @throws manager/prepare manager/hand-over it could not be made with it; nothing was given
   */
  async give(name: string, grant: unknown): Promise<void> {
    await this.#doing(() => give(name, grant, this.#core));
  }

  /**
   * Takes from a plugin what it was given, and makes it anew without it. A grant without targets takes the capability.
   * It is gone at once, also from calls that are under way, and what they hold open by it is closed.
   *
   * @throws policy/…                the grant is not one of this host
   * @throws manager/not-granted     it has nothing of this
   * @throws manager/folder          it could not be written down; nothing was taken
   * @throws manager/not-lasting     it was taken, and a power cut may bring it back
   * @throws manager/stopped-without it was taken, and the plugin cannot run without it: it stands still, and is tried
   *         again after a while
   */
  async revoke(name: string, grant: unknown): Promise<void> {
    await this.#doing(() => revoke(name, grant, this.#core));
  }

  /** As they are kept: with references in place of secrets; undefined when nobody made any. */
  async settings(name: string): Promise<Json | undefined> {
    return settingsShown(entryOf(this.#core, name));
  }

  /**
   * Changes the settings of a plugin, while it runs.
   *
   * @param settings All of them. A secret is written `{ "secret": "NAME" }`.
   * @throws manager/settings all that is wrong with them
   * @throws manager/prepare manager/hand-over it does not take them; those before stay
   */
  async changeSettings(name: string, settings: Json): Promise<void> {
    await this.#doing(() => changeSettings(name, settings, this.#core));
  }

  /**
   * Keeps the settings that a plugin itself has changed, for the next time that it is made: it goes on as it is.
   *
   * @throws manager/settings all that is wrong with them: a secret's text is never kept
   */
  async keepSettings(name: string, settings: Json): Promise<void> {
    await this.#doing(() => keepSettings(name, settings, this.#core));
  }

  /**
   * Installs a plugin again whenever its file or folder changes, until what it gives back is called: for whoever
   * writes one. What cannot take over is told as an event, and what runs goes on; what wants more, or is by another
   * publisher, is asked about or held.
   *
   * @param path    A bundle or a plugin's folder, as `install` takes it.
   * @param refOf   What to install for it. Default: what is at the path.
   * @param options Of each install.
   * @throws manager/folder there is nothing at that path
   */
  watch(
    path: string,
    refOf: () => Promise<PluginRef> = async () => path,
    options: InstallOptions = {},
  ): () => void {
    this.#core.closing.check();
    const take = async () => (await this.install(await refOf(), options)).name;
    const stop = watchPlugin(path, take, this.#core);
    this.#watches.add(stop);
    return () => {
      stop();
      this.#watches.delete(stop);
    };
  }

  /** Versions that wait for consent, and what each wants; of one that cannot be read, what is wrong with it (`problem`). */
  async held(): Promise<readonly ConsentRequest[]> {
    const requests: ConsentRequest[] = [];
    for (const entry of this.#core.entries.values()) {
      const request = await heldRequest(entry, this.#core);
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  /**
   * Gives a held version what it wants, or some of it, and runs it; one by another publisher is accepted as that. It begins
   * with the settings that came with its install, with or without state, and runs or is disabled as that said.
   *
   * @param request As it was shown to whoever accepts it, of `held` or of a `held` event: its plugin and its `id`.
   * @param items   What is given of what it wants. Default: all.
   * @throws manager/no-such-plugin manager/no-such-consent
   * @throws manager/held-changed another version waits now, or this one wants something else than it did
   * @throws as `install`
   */
  async accept(
    request: Answered,
    items?: readonly Pick<ConsentItem, "capability" | "target">[],
  ): Promise<ManagedPlugin> {
    return this.#doing(() => acceptHeld(request, items, this.#core));
  }

  /**
   * Gives a held version nothing; it is forgotten, and what runs goes on.
   *
   * @throws manager/no-such-plugin manager/no-such-consent manager/held-changed
   */
  async refuse(request: Answered): Promise<void> {
    await this.#doing(() => refuseHeld(request, this.#core));
  }

  /**
   * Stops all plugins, those that need others first, and lets go of the folder. What was begun comes to its end before;
   * what waits for an answer, or for a source, fails with manager/closed. Nothing of the manager changes the folder or
   * runs a plugin when this is over.
   */
  close(): Promise<void> {
    // Whoever closed it first is told what went wrong.
    if (this.#closed !== undefined) return this.#closed.catch(() => {});
    this.#closed = this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const stop of this.#watches) stop();
    await this.#core.closing.begin();
    for (const plugin of this.#inStopOrder()) {
      await this.#core.alone(plugin.name, () => plugin.stop());
    }
    // What plugins have told until they stopped is written down behind them.
    await this.#core.closeTurns();
    this.trail?.close();
    await this.#core.closeIsolations();
    await this.#core.rewrites.settled();
    await this.#held.release();
  }

  /** Who needs others goes before them, as things are now. */
  #inStopOrder(): Iterable<ManagedPlugin> {
    const { entries, plugins } = this.#core;
    const ordered = startOrder(entries)
      .reverse()
      .flatMap(({ name }) => plugins.get(name) ?? []);
    // What is not installed does not run, and has no timers after this either.
    return new Set([...ordered, ...plugins.values()]);
  }

  /** Rejects when it is closed, as everything here that gives a promise. */
  async #doing<Result>(act: () => Promise<Result>): Promise<Result> {
    return this.#core.closing.doing(act);
  }
}
