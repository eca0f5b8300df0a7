/** What a manager tells of a plugin. Plain data: nothing in it is a secret. */

import { type Json, type Manifest, openBundle, type Trust } from "../bundle/index.ts";
import type { Grant } from "../policy/index.ts";
import type { ConsentRequest } from "./consent/asker.ts";
import type { Core } from "./core.ts";
import { dependents } from "./install/dependencies.ts";
import { heldRequest } from "./install/held.ts";
import type { BreakerState } from "./life/breaker.ts";
import type { State } from "./life/life.ts";
import type { PluginCounts } from "./plugin-counts.ts";
import { type PublisherChange, successionOfKept, trustHere } from "./signer.ts";
import type { Entry, InstalledVersion, KeptVersion } from "./store/entry.ts";

/** A plugin at a glance. Plain data. */
export interface PluginInfo {
  readonly name: string;
  /** The one that runs or would run; undefined while a first version is held. */
  readonly version: string | undefined;
  readonly host: string;
  readonly isEnabled: boolean;
  readonly state: State;
  readonly breaker: BreakerState;
  /** Whether the version before is still ready to take over. */
  readonly isOnProbation: boolean;
  /** A version that waits for consent. */
  readonly held: string | undefined;
  /** Why it does not run, or what the last failed call failed with. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly counts: PluginCounts;
}

/** All that the manager knows of a plugin. */
export interface PluginDetails extends PluginInfo {
  readonly current: InstalledVersion | undefined;
  /** Waits for consent. */
  readonly heldVersion: InstalledVersion | undefined;
  /** That the held version is by another publisher than the one that runs. */
  readonly heldPublisher: PublisherChange | undefined;
  /** Why the held version cannot be accepted: it is damaged, and can be refused or installed again. */
  readonly heldProblem: ConsentRequest["problem"];
  /** Kept to go back to, the last one first. */
  readonly previous: readonly (KeptVersion & {
    /** That it is by another publisher than the one that runs. */
    readonly publisher: PublisherChange | undefined;
  })[];
  /** Given by consent or by the operator; what the policy gives to all is not in it. */
  readonly grants: readonly Grant[];
  readonly refused: readonly Grant[];
  /** As of its bundle, and by the keys that are trusted now. */
  readonly manifest: Manifest | undefined;
  readonly trust: Trust | undefined;
  /** With references in place of secrets. */
  readonly settings: Json | undefined;
  /** Plugins that need it. */
  readonly neededBy: readonly string[];
}

export function infoOf({ name, host, isEnabled, current, held }: Entry, core: Core): PluginInfo {
  const plugin = core.pluginOf(name);
  const { failure } = plugin;
  return {
    name,
    // After a return the entry is written a moment later.
    version: plugin.serving?.version.version ?? current?.version,
    host,
    isEnabled,
    state: plugin.state,
    breaker: plugin.breaker,
    isOnProbation: plugin.isOnProbation,
    held: held?.version,
    failure: failure && { code: failure.code, message: failure.message },
    counts: plugin.counts(),
  };
}

/** Reads its bundle. @throws manager/store-damaged manager/folder */
export async function detailsOf(entry: Entry, core: Core): Promise<PluginDetails> {
  const { name, current, held: heldVersion, previous, grants, refused } = entry;
  const held = await heldRequest(entry, core);
  const shown = current ?? (held?.problem === undefined ? heldVersion : undefined);
  const bytes = shown && (await core.store.read(shown.sha256));
  const bundle = bytes && openBundle(bytes, { vocabulary: core.vocabulary });
  return {
    ...infoOf(entry, core),
    current,
    heldVersion,
    heldPublisher: held?.publisher,
    heldProblem: held?.problem,
    previous: await Promise.all(
      previous.map(async ({ settings: _, ...one }) => ({
        ...one,
        publisher: (await successionOfKept(entry, one, core)).publisher,
      })),
    ),
    grants,
    refused,
    manifest: bundle?.manifest,
    trust: bundle && trustHere(bundle, core),
    settings: settingsShown(entry),
    neededBy: [...dependents(name, core.entries).keys()],
  };
}

/** As they are kept: of a first version that waits, those that it waits with. */
export function settingsShown({ current, held, settings }: Entry): Json | undefined {
  return current === undefined ? (held?.settings ?? settings) : settings;
}
