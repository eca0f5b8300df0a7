/** Versions that want more than was granted, or are by another publisher: kept until somebody answers, over restarts too. */

import { isRemoraError, type RemoraError } from "../../base/index.ts";
import { type Bundle, openBundle } from "../../bundle/index.ts";
import {
  type Answered,
  type Asker,
  type ConsentItem,
  type ConsentRequest,
  requestId,
} from "../consent/asker.ts";
import { type Core, collectDropped, entryOf, inspectOptions, tellOf, writeEntry } from "../core.ts";
import { inStep, managerErrors } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { trustHere } from "../signer.ts";
import type { Entry, InstalledVersion } from "../store/entry.ts";
import { sortWanted } from "./decide.ts";
import { placeOf } from "./inspect.ts";
import { installFirst, tellUnheld } from "./install.ts";

/** What a held version wants, or what is wrong with it; undefined when none is held. */
export async function heldRequest(entry: Entry, core: Core): Promise<ConsentRequest | undefined> {
  const { held } = entry;
  if (held === undefined) return undefined;
  try {
    const bundle = openBundle(await core.store.read(held.sha256), { vocabulary: core.vocabulary });
    return await wantedOf(entry, held, bundle, core);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    return unreadable(entry, held, error);
  }
}

/** One that is damaged keeps nobody from the others, and can still be refused. */
function unreadable(
  { name: plugin, current }: Entry,
  { version, digest, origin, sha256 }: InstalledVersion,
  { code, message }: RemoraError,
): ConsentRequest {
  return {
    id: sha256,
    plugin,
    version,
    digest,
    origin,
    current: current?.version,
    trust: { level: "modified", text: "it cannot be read" },
    publisher: undefined,
    items: [],
    granted: [],
    denied: [],
    problem: { code, message },
  };
}

async function wantedOf(
  entry: Entry,
  held: InstalledVersion,
  bundle: Bundle,
  core: Core,
): Promise<ConsentRequest> {
  const { name: plugin, current } = entry;
  const { world } = placeOf(bundle, inspectOptions(core, plugin));
  const { publisher, sorted } = await sortWanted({ entry, bundle, world }, core);
  const { asked: items, granted, denied } = sorted;
  const { level, text } = trustHere(bundle, core);
  const { version, digest, origin } = held;
  const wanted = { plugin, version, digest, origin, current: current?.version, trust: { level, text } };
  const asked = { ...wanted, publisher, items, granted, denied };
  return { ...asked, id: requestId(asked, held.sha256) };
}

/**
 * Steps 2 to 9 with the held version, as an install of it that is answered with this: its signer may have been revoked since,
 * what it needs may be gone, and what needs the one that runs may have come.
 *
 * @throws manager/no-such-plugin manager/no-such-consent
 * @throws manager/held-changed it is another one than was shown, or wants something else by now
 */
export async function acceptHeld(
  { plugin: name, id }: Answered,
  items: readonly Pick<ConsentItem, "capability" | "target">[] | undefined,
  core: Core,
): Promise<ManagedPlugin> {
  const entry = entryOf(core, name);
  const { held } = entry;
  if (held === undefined) throw managerErrors["no-such-consent"]({ plugin: name });
  const bytes = await inStep("fetch", name, () => core.store.read(held.sha256));
  const request = await heldRequest(entry, core);
  if (request?.id !== id) throw changed(name, held);
  const asker: Asker = async (asked) => {
    // By the entry of now: when that is another one later, nothing of this is carried out.
    if (asked.id !== id || core.entries.get(name) !== entry) throw changed(name, held);
    return { kind: "given", items: items ?? asked.items, acceptsPublisher: true };
  };
  return installFirst([{ kind: "bytes", bytes, origin: held.origin }], name, core, {
    asker,
    trust: held.trust,
    ...(held.settings !== undefined && { settings: held.settings }),
    ...(held.isEnabled !== undefined && { isEnabled: held.isEnabled }),
    ...(held.state !== undefined && { state: held.state }),
  });
}

/** @throws manager/no-such-plugin manager/no-such-consent manager/held-changed */
export async function refuseHeld({ plugin: name, id }: Answered, core: Core): Promise<void> {
  await core.alone(name, async () => {
    const entry = entryOf(core, name);
    const request = await heldRequest(entry, core);
    if (request === undefined) throw managerErrors["no-such-consent"]({ plugin: name });
    if (request.id !== id) throw changed(name, request);
    if (entry.current === undefined) await removeFirst(entry, core);
    else await writeEntry(core, { ...entry, held: undefined });
    tellUnheld(entry, "refused", core);
    // There was an entry of it, that others may have listed.
    if (entry.current === undefined)
      tellOf(core, name, { kind: "changed", operation: "remove", from: "", to: "", origin: "" });
  });
}

/** A first version leaves nothing behind. */
async function removeFirst(entry: Entry, core: Core): Promise<void> {
  const { name } = entry;
  await core.files.remove(name);
  core.entries.delete(name);
  core.plugins.delete(name);
  collectDropped(entry, core);
}

function changed(plugin: string, { version, digest }: Pick<InstalledVersion, "version" | "digest">): Error {
  return managerErrors["held-changed"]({ plugin, version, digest });
}
