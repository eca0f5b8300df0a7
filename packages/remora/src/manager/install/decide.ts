/**
 * Step 5 of an install: what the policy gives, what the plugin has, and whoever consents to the rest. What must wait for
 * consent is kept, and runs nothing.
 */

import type { Bundle, Trust, TrustRule } from "../../bundle/index.ts";
import { checkImports, type Grant } from "../../policy/index.ts";
import { busHostFunctions } from "../bus/plugin-bus.ts";
import { interfaceNames } from "../calls/plugin-interfaces.ts";
import { removeRest } from "../changes/remove.ts";
import { type Asker, type ConsentItem, type ConsentRequest, requestId } from "../consent/asker.ts";
import { grantsOf, itemText, mergeGrants, sortRequest } from "../consent/decide-request.ts";
import { type Core, grantsFor, inStore, rulesOf, tellDifference, tellOf, writeEntry } from "../core.ts";
import { managerErrors } from "../errors.ts";
import type { WorldBinding } from "../host.ts";
import { checkSettings } from "../settings/settings.ts";
import { isStranger, publisherText, successionOf } from "../signer.ts";
import { sha256Of } from "../store/bundle-store.ts";
import type { Entry, Wishes } from "../store/entry.ts";
import type { Inspected } from "./inspect.ts";
import { firstEntry, keepVersion } from "./keep-version.ts";

/** What steps 1 to 5 found, for the other four. */
export interface Accepted {
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  readonly origin: string;
  readonly inspected: Inspected;
  /** Of `InstallOptions`. */
  readonly vouched: TrustRule | undefined;
  readonly wishes: Wishes;
  /** The entry that this was decided by. */
  readonly basis: Entry | undefined;
  /** By consent, in all. */
  readonly grants: readonly Grant[];
  readonly refused: readonly Grant[];
  /** Whether somebody consented to this very difference, or to another publisher. */
  readonly wasAsked: boolean;
}

export type Decided = Pick<Accepted, "grants" | "refused" | "wasAsked">;
/** What there is before the decision. */
export type Undecided = Omit<Accepted, keyof Decided>;

/**
 * Step 5: policy first, then what it has, then whoever can consent; for an update by the same publisher only the difference is
 * asked.
 */
export async function decideHere(
  source: Undecided,
  trust: Trust,
  core: Core,
  asker: Asker,
): Promise<Decided> {
  const { name, version } = source.inspected.manifest;
  const { basis: entry } = source;
  const { given, refused, sorted, publisher } = await sortHere(source, core);
  const free = { grants: given, refused, wasAsked: false };
  if (sorted.asked.length === 0 && publisher === undefined) return linkable(free, source, core);
  const { settings } = source.wishes;
  // Nobody is asked about what cannot come to run with them.
  if (settings !== undefined) checkSettings(name, source.inspected.manifest.settings, settings);
  const wanted = {
    plugin: name,
    version,
    digest: source.bundle.digest,
    origin: source.origin,
    current: entry?.current?.version,
    trust: { level: trust.level, text: trust.text },
    publisher,
    items: sorted.asked,
    granted: sorted.granted,
    denied: sorted.denied,
  };
  const request: ConsentRequest = { ...wanted, id: requestId(wanted, sha256Of(source.bytes)) };
  const consent = await core.closing.orLeave(() => asker(request));
  switch (consent.kind) {
    case "refused":
      throw managerErrors.refused({ plugin: name, version, by: consent.by });
    case "later":
      await holdBack(source, request, core);
      throw managerErrors.held({ plugin: name, version, items: askedText(request) });
    case "given": {
      if (publisher !== undefined && consent.acceptsPublisher !== true)
        throw managerErrors["other-publisher"]({ plugin: name, version, ...publisher });
      const decided = linkable(
        withConsent({ given, refused }, sorted.asked, consent.items, core),
        source,
        core,
      );
      tellPublisher(request, core);
      return decided;
    }
  }
}

/** All that consent is asked for, for people. */
function askedText({ publisher, items }: ConsentRequest): string[] {
  return [...(publisher === undefined ? [] : [publisherText(publisher)]), ...items.map(itemText)];
}

/** For the audit. An admin who consented is in the line of their request, before this one. */
export function tellPublisher(
  { plugin, version, publisher }: Pick<ConsentRequest, "plugin" | "version" | "publisher">,
  core: Core,
): void {
  if (publisher !== undefined) tellOf(core, plugin, { kind: "publisher", version, ...publisher });
}

/** What it has, and what it wants beyond that. @throws manager/other-host */
async function sortHere({ inspected, basis: entry, bundle }: Undecided, core: Core) {
  const { manifest, world } = inspected;
  const { name } = manifest;
  if (entry !== undefined && entry.host !== manifest.host.name) {
    throw managerErrors["other-host"]({ plugin: name, host: entry.host, found: manifest.host.name });
  }
  return sortWanted({ entry, bundle, world }, core);
}

/** What a version wants, by whether it is asked for: while it is decided, and while it waits, which has to be the same. */
export async function sortWanted(
  {
    entry,
    bundle,
    world,
  }: { readonly entry: Entry | undefined; readonly bundle: Bundle; readonly world: WorldBinding },
  core: Core,
) {
  const { name, capabilities } = bundle.manifest;
  const { grants: given, publisher } = await successionOf(entry, bundle, core);
  const refused = entry?.refused ?? [];
  const { vocabulary } = core;
  const sorted = sortRequest(capabilities, {
    vocabulary,
    rules: rulesOf(core, name),
    // What all plugins of its world have is no question.
    given: [...(world.compatibleGrants ?? []), ...given],
    refused,
  });
  return { given, refused, publisher, sorted };
}

/** What was asked is given or refused; nothing that was not asked is given. */
export function withConsent(
  { given, refused }: { readonly given: readonly Grant[]; readonly refused: readonly Grant[] },
  asked: readonly ConsentItem[],
  accepted: readonly Pick<ConsentItem, "capability" | "target">[],
  { vocabulary }: Core,
): Decided {
  const isAccepted = (item: ConsentItem) =>
    accepted.some(({ capability, target }) => capability === item.capability && target === item.target);
  const yes = asked.filter(isAccepted);
  const no = asked.filter((item) => !isAccepted(item));
  return {
    grants: mergeGrants(vocabulary, given, grantsOf(yes, vocabulary)),
    refused: mergeGrants(vocabulary, refused, grantsOf(no, vocabulary)),
    wasAsked: true,
  };
}

/** With less than it declares it may still do without; what it imports it needs. */
export function linkable(decided: Decided, { inspected, bundle }: Undecided, core: Core): Decided {
  const { manifest, world } = inspected;
  const check = checkImports(bundle.artifactNames().imports, {
    plugin: manifest.name,
    hostFunctions: [...world.hostFunctions, ...busHostFunctions, ...interfaceNames(inspected.provided)],
    offers: core.offers,
    grants: grantsFor(core, inspected, decided.grants),
  });
  if (check.kind === "refused") throw check.error;
  return decided;
}

/** Kept, and not run, until somebody says so. */
function holdBack(source: Undecided, request: ConsentRequest, core: Core): Promise<void> {
  const { name } = source.inspected.manifest;
  return core.alone(name, async () => {
    await removeRest(name, core);
    const here = core.entries.get(name);
    await inStore(core, async () => {
      const { isEnabled, settings, state } = source.wishes;
      const before = here ?? (await firstEntry(source.inspected, settings, core));
      const kept = await keepVersion(source, core);
      const isFirst = before.current === undefined;
      // Whether a first version will run is its plugin's to say from now on, and anybody's to change while it waits.
      const held = { ...kept, settings, state, ...(!isFirst && { isEnabled }) };
      const enabled = isFirst && isEnabled !== undefined && { isEnabled };
      // What was given to a first version while it waited, or set for it, was not for what comes in its place.
      const isOther = await isStranger(before, source.bundle, core);
      await writeEntry(core, {
        ...before,
        ...enabled,
        ...(isOther && { grants: [], settings: undefined }),
        held,
      });
    });
    tellOf(core, name, { kind: "held", request });
    tellDifference(core, name, here);
  });
}

/** Somebody else has changed the plugin meanwhile. Consent may take days, and was for the difference to what there was. */
export async function decideAnew(accepted: Accepted, core: Core): Promise<Decided> {
  const { name } = accepted.inspected.manifest;
  if (!accepted.wasAsked) {
    const { given, refused, sorted, publisher } = await sortHere(accepted, core);
    const decided = { grants: given, refused, wasAsked: false };
    if (sorted.asked.length === 0 && publisher === undefined) return linkable(decided, accepted, core);
  }
  throw managerErrors["changed-meanwhile"]({ plugin: name });
}
