/** Operations on a manager of this process. */

import { isRemoraError } from "remora/base";
import {
  type AuditTrail,
  type AuditVerdict,
  accountOf,
  type ConsentItem,
  type ConsentRequest,
  type Manager,
  type ManagerEvent,
  type PluginDetails,
  type PluginInfo,
  type PublisherChange,
} from "remora/manager";
import { harmless } from "remora/policy";
import { EventFeed } from "./event-feed.ts";
import type { AuditQuery, Happening, InstallSource, Operations } from "./operations.ts";
import type {
  AuditRecordView,
  ChangeView,
  ConsentView,
  GrantView,
  PluginDetailsView,
  PluginView,
  VerdictView,
} from "./views.ts";

export interface LocalOptions {
  readonly manager: Manager;
  readonly trail: AuditTrail;
  /** The manager is closed with the operations: nobody else uses it. */
  readonly closesManager?: boolean;
}

export function localOperations({ manager, trail, closesManager = false }: LocalOptions): Operations {
  const change = (name: string, act: () => Promise<unknown>): Promise<ChangeView> =>
    changed(manager, async () => {
      await act();
      return name;
    });
  return {
    list: async () => manager.list().map((info) => pluginView(manager, info)),
    details: async (name) => detailsView(manager, await manager.details(name)),
    install: (source, options = {}) => installed(manager, source, options),
    update: (name, range) => change(name, () => manager.update(name, range)),
    rollback: (name, version) => change(name, () => manager.rollback(name, version)),
    remove: (name, options) => manager.remove(name, options),
    enable: (name) => manager.enable(name),
    disable: (name) => manager.disable(name),
    reload: (name) => manager.reload(name),
    settings: async (name) => (await manager.settings(name)) ?? null,
    // Whoever calls has parsed it from JSON.
    changeSettings: (name, settings) => manager.changeSettings(name, settings as never),
    give: (name, grant) => manager.give(name, grant),
    revoke: (name, grant) => manager.revoke(name, grant),
    held: async () => (await manager.held()).map(consentView),
    accept: (request, items) => change(request.plugin, () => manager.accept(request, items?.map(itemOf))),
    refuse: (request) => manager.refuse(request),
    audit: async (query) => auditRecords(trail, query),
    verifyAudit: async (expected) => verdictView(await trail.verify(expected)),
    follow: (options) => follow(manager, options),
    async close() {
      if (!closesManager) return;
      await manager.close();
    },
  };
}

async function installed(
  manager: Manager,
  source: InstallSource,
  options: { settings?: unknown; isEnabled?: boolean },
): Promise<ChangeView> {
  const ref = "ref" in source ? source.ref : source;
  const { settings, isEnabled } = options;
  return changed(manager, async () => {
    const { name } = await manager.install(ref, {
      ...(settings !== undefined && { settings: settings as never }), // parsed from JSON by whoever calls
      ...(isEnabled !== undefined && { isEnabled }),
    });
    return name;
  });
}

/** What becomes of a plugin by what is done; that it waits for consent is no failure. */
async function changed(manager: Manager, act: () => Promise<string>): Promise<ChangeView> {
  const before = new Map(manager.list().map(({ name, version }) => [name, version ?? null]));
  const publishers = new Map<string, PublisherChange>();
  const unlisten = manager.listen((event) => {
    const { kind, plugin } = event;
    if (kind === "publisher") publishers.set(`${plugin} ${event.version}`, event);
  });
  try {
    const name = await act();
    const version = written(manager, name);
    const publisher = publisherView(publishers.get(`${name} ${version}`));
    return { name, version, from: before.get(name) ?? null, held: null, publisher };
  } catch (error) {
    const held = heldBy(error);
    if (held === undefined) throw error;
    const change = await heldChange(manager, held.plugin, before.get(held.plugin) ?? null);
    return { ...change, ...(held.neededBy !== undefined && { neededBy: held.neededBy }) };
  } finally {
    unlisten();
  }
}

/** The version that a change has brought. Another may run already: a version that fails at its first call is taken back at once. */
function written(manager: Manager, name: string): string | null {
  return manager.versions(name).current?.version ?? null;
}

/** The plugin that waits for consent, if that is what stopped the change. */
function heldBy(error: unknown): HeldFacts | undefined {
  if (!isRemoraError(error) || !isRemoraError(error.cause, "manager/held")) return undefined;
  return error.cause.details as unknown as HeldFacts; // as its row in the table has it
}

interface HeldFacts {
  readonly plugin: string;
  readonly neededBy?: string;
}

async function heldChange(manager: Manager, name: string, from: string | null): Promise<ChangeView> {
  const request = (await manager.held()).find(({ plugin }) => plugin === name);
  const version = manager.info(name).version ?? null;
  return { name, version, from, held: request === undefined ? null : consentView(request), publisher: null };
}

export function pluginView(manager: Manager, info: PluginInfo): PluginView {
  const { counts: _, ...rest } = info;
  return {
    ...rest,
    version: info.version ?? null,
    held: info.held ?? null,
    failure: info.failure ?? null,
    account: accountOf(manager.get(info.name)),
  };
}

function detailsView(manager: Manager, details: PluginDetails): PluginDetailsView {
  const {
    manifest,
    trust,
    current,
    heldVersion,
    heldPublisher,
    heldProblem = null,
    previous,
    grants,
    refused,
    settings,
    neededBy,
  } = details;
  const { name, version, host, isEnabled, state, breaker, isOnProbation, held, failure, counts } = details;
  const info = { name, version, host, isEnabled, state, breaker, isOnProbation, held, failure, counts };
  return {
    ...pluginView(manager, info),
    current: current === undefined ? null : versionView(current),
    heldVersion: heldVersion === undefined ? null : versionView(heldVersion),
    heldPublisher: publisherView(heldPublisher),
    heldProblem,
    previous: previous.map((one) => ({ ...versionView(one), publisher: publisherView(one.publisher) })),
    trust: trust === undefined ? null : { level: trust.level, text: trust.text, reason: trust.reason },
    grants: grants.map(grantView),
    refused: refused.map(grantView),
    settings: settings ?? null,
    neededBy: [...neededBy],
    manifest: manifest === undefined ? null : manifestView(manifest),
  };
}

function versionView(version: NonNullable<PluginDetails["current"]>) {
  const { version: text, digest, origin, installedAt, failedWith = null } = version;
  return { version: text, digest, origin: shownOrigin(origin), installedAt, failedWith };
}

/** Whoever brought it may have chosen its words. */
function shownOrigin(origin: string): string {
  return harmless(origin, 1_000);
}

function manifestView(manifest: NonNullable<PluginDetails["manifest"]>) {
  const { authors, licence, tags, isolation, capabilities, limits, settings, dependencies } = manifest;
  return {
    description: manifest.description ?? null,
    authors: [...authors],
    licence,
    homepage: manifest.homepage ?? null,
    category: manifest.category ?? null,
    tags: [...tags],
    isolation,
    capabilities: capabilities.map(({ grant, why }) => ({ grant: grantView(grant), why })),
    limits: { ...limits },
    settingsSchema: settings ?? null,
    dependencies: Object.fromEntries(dependencies),
  };
}

function grantView(grant: PluginDetails["grants"][number]): GrantView {
  // Grants are data of just this shape; the view's lists are its own.
  return structuredClone(grant) as GrantView;
}

export function consentView(request: ConsentRequest): ConsentView {
  const { id, plugin, version, digest, origin, current, trust, publisher, items, granted, denied } = request;
  return {
    id,
    plugin,
    version,
    digest,
    origin: shownOrigin(origin),
    current: current ?? null,
    trust: trust.text,
    publisher: publisherView(publisher),
    items: items.map(itemView),
    granted: granted.map(grantView),
    denied: denied.map(itemView),
    problem: request.problem ?? null,
  };
}

function publisherView(change: ConsentRequest["publisher"]) {
  if (change === undefined) return null;
  const { from, to, name = null } = change;
  return { from, to, name };
}

function itemView({ capability, target, why, meaning, risk }: ConsentItem) {
  return { capability, target: target ?? null, why, meaning, risk };
}

function itemOf({ capability, target }: { capability: string; target: string | null }) {
  // A capability that there is not is no item of the request, and so is not given.
  return { capability: capability as ConsentItem["capability"], ...(target !== null && { target }) };
}

/** More lines than this in one answer are a file. */
export const auditRecordsMax = 1_000;

async function auditRecords(trail: AuditTrail, query: AuditQuery): Promise<AuditRecordView[]> {
  const { plugin, kind, beforeSeq } = query;
  const records = await trail.read({
    recordsMax: Math.min(query.recordsMax, auditRecordsMax),
    ...(beforeSeq !== undefined && { beforeSeq }),
    isWanted: ({ event }) =>
      (plugin === undefined || event.plugin === plugin) &&
      (kind === undefined || event.kind.startsWith(kind)),
  });
  return records.map((record) => ({ ...record, event: { ...record.event } }));
}

function verdictView(verdict: AuditVerdict): VerdictView {
  if (verdict.kind === "broken") {
    return { ...verdict, file: verdict.file ?? null, number: verdict.number ?? null };
  }
  const { first, last, resumptions, removed } = verdict;
  return {
    ...verdict,
    first: first ?? null,
    last: last ?? null,
    removed: removed === undefined ? null : { ...removed },
    resumptions: resumptions.map((record) => ({ ...record, event: { ...record.event } })),
  };
}

const METRICS_MS = 1_000;

async function* follow(
  manager: Manager,
  { metrics, signal }: { readonly metrics: boolean; readonly signal: AbortSignal },
): AsyncIterable<Happening> {
  const feed = new EventFeed<Happening>();
  const accounts = (): Happening => ({
    kind: "metrics",
    atMs: Date.now(),
    plugins: manager.list().map((info) => pluginView(manager, info)),
  });
  // A union of plain data, of which the reader looks at what it knows.
  const unlisten = manager.listen((event: ManagerEvent) => feed.push(event as unknown as Happening));
  const timer = metrics ? setInterval(() => feed.push(accounts()), METRICS_MS) : undefined;
  const end = () => feed.end();
  signal.addEventListener("abort", end);
  try {
    if (signal.aborted) return;
    if (metrics) yield accounts();
    yield* feed;
  } finally {
    unlisten();
    clearInterval(timer);
    signal.removeEventListener("abort", end);
  }
}
