/** Versions that want more than was granted, or are by another publisher: kept until somebody answers, over restarts too. */

import { isRemoraError } from "../../base/index.ts";
import { openBundle } from "../../bundle/index.ts";
import type { Grant } from "../../policy/index.ts";
import { interfacesFor } from "../calls/plugin-interfaces.ts";
import type { ConsentItem, ConsentRequest } from "../consent/asker.ts";
import { sortRequest } from "../consent/decide-request.ts";
import { type Core, inspectOptions, rulesOf, tellOf, writeEntry } from "../core.ts";
import { inStep, managerErrors } from "../errors.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { type PublisherChange, successionOf, trustHere } from "../signer.ts";
import type { Entry } from "../store/entry.ts";
import { linkable, tellPublisher, withConsent } from "./decide.ts";
import { inspect, placeOf } from "./inspect.ts";
import { takeIn } from "./install.ts";
import { verifyHere } from "./plan.ts";

/** What a held version wants; undefined when none is held. */
export async function heldRequest(entry: Entry, core: Core): Promise<ConsentRequest | undefined> {
  const { name, held, current } = entry;
  if (held === undefined) return undefined;
  const bundle = openBundle(await core.store.read(held.sha256), { vocabulary: core.vocabulary });
  const { grants: given, publisher } = await successionOf(entry, bundle, core);
  const options = sortOptions(entry, given, core);
  const { asked, granted, denied } = sortRequest(bundle.manifest.capabilities, options);
  const { level, text } = trustHere(bundle, core);
  return {
    plugin: name,
    version: held.version,
    origin: held.origin,
    current: current?.version,
    trust: { level, text },
    publisher,
    items: asked,
    granted,
    denied,
  };
}

/** Who has signed the held version, where that is somebody else. Whose bundle is damaged is told when it is to be accepted. */
export async function heldPublisher(entry: Entry, core: Core): Promise<PublisherChange | undefined> {
  try {
    return (await heldRequest(entry, core))?.publisher;
  } catch (error) {
    if (isRemoraError(error, "manager/store-damaged")) return undefined;
    throw error;
  }
}

/** Steps 3 to 9 with the held version, whoever has signed it: its signer may have been revoked since. */
export async function acceptHeld(
  entry: Entry,
  items: readonly Pick<ConsentItem, "capability" | "target">[] | undefined,
  core: Core,
): Promise<ManagedPlugin> {
  const { name, held } = entry;
  if (held === undefined) throw managerErrors["no-such-consent"]({ plugin: name });
  const bytes = await inStep("fetch", name, () => core.store.read(held.sha256));
  const { bundle } = await inStep("verify", name, () => verifyHere(bytes, core));
  const inspected = await inStep("inspect", name, () =>
    interfacesFor(bundle, placeOf(bundle, inspectOptions(core, name)).file, core).then((provided) =>
      inspect(bundle, inspectOptions(core, name, provided)),
    ),
  );
  const source = { bytes, bundle, origin: held.origin, inspected, basis: entry };
  const decided = await inStep("decide", name, async () => {
    const { grants: given, publisher } = await successionOf(entry, bundle, core);
    const { asked } = sortRequest(bundle.manifest.capabilities, sortOptions(entry, given, core));
    const { refused } = entry;
    const decided = linkable(withConsent({ given, refused }, asked, items ?? asked, core), source, core);
    tellPublisher({ plugin: name, version: held.version, publisher }, core);
    return decided;
  });
  return takeIn({ ...source, ...decided }, core, {});
}

export async function refuseHeld({ name, held }: Entry, core: Core): Promise<void> {
  if (held === undefined) throw managerErrors["no-such-consent"]({ plugin: name });
  await core.alone(name, async () => {
    const entry = core.entries.get(name);
    if (entry?.held?.digest !== held.digest) return;
    if (entry.current !== undefined) return writeEntry(core, { ...entry, held: undefined });
    await core.files.remove(name);
    core.entries.delete(name);
    core.plugins.delete(name);
    // There was an entry of it, that others may have listed.
    tellOf(core, name, { kind: "changed", operation: "remove", from: "", to: "", origin: "" });
  });
}

function sortOptions({ name, refused }: Entry, given: readonly Grant[], core: Core) {
  return { vocabulary: core.vocabulary, rules: rulesOf(core, name), given, refused };
}
