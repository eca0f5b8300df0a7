/**
 * A kept version runs again: the steps of an install but the fifth, with what is in the store. It was accepted when it came, so
 * that nobody is asked; but what nobody trusts any more does not run, nor what others who are there now could not go on with.
 */

import { withoutGrants } from "../consent/decide-request.ts";
import { aloneAmong, type Core, entryOf, tellDifference, writeEntry } from "../core.ts";
import { inStep, managerErrors } from "../errors.ts";
import { tellPublisher } from "../install/decide.ts";
import { checkAmongOthers } from "../install/install.ts";
import { settingsOfKept } from "../install/keep-version.ts";
import { verifyHere } from "../install/plan.ts";
import { change } from "../install/take-over.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import { type Succession, successionOfKept } from "../signer.ts";
import type { Entry, KeptVersion } from "../store/entry.ts";

export async function rollback(
  name: string,
  version: string | undefined,
  core: Core,
): Promise<ManagedPlugin> {
  const needed = entryOf(core, name).previous.flatMap(({ needs }) => Object.keys(needs));
  return aloneAmong(core, name, needed, async () => {
    const before = entryOf(core, name);
    const target = await keptVersion(before, version, core);
    const bytes = await inStep("fetch", name, () => core.store.read(target.sha256), "roll back");
    const { bundle } = await inStep("verify", name, () => verifyHere(bytes, core, target.trust), "roll back");
    const { isEnabled } = before;
    await checkAmongOthers(bundle, core, { isEnabled, doing: "roll back" });
    const { publisher, ...given } = await returnOf(before, target, core);
    const settings = settingsOfKept(target, before);
    const state = { ...given, settings, isEnabled, operation: "rollback" as const };
    const candidate = { ...target, ...state, failedWith: undefined };
    const entry = { ...before, candidate };
    await inStep("place", name, () => writeEntry(core, entry), "roll back");
    const plugin = await change({ entry, before }, core, { bundle, state: true });
    tellPublisher({ plugin: name, version: target.version, publisher }, core);
    tellDifference(core, name, before);
    return plugin;
  });
}

/** The last one that is meant: of a number, by one publisher; or of a digest. */
async function keptVersion(entry: Entry, version: string | undefined, core: Core): Promise<KeptVersion> {
  const [target, ...others] = entry.previous.filter((one) =>
    version === undefined ? one.failedWith === undefined : [one.version, one.digest].includes(version),
  );
  if (target === undefined) throw noSuchVersion(entry, version);
  if (version === undefined) return target;
  // Whoever publishes under another's name chooses the number too.
  for (const other of others) {
    const { publisher } = await successionOfKept({ ...entry, current: target }, other, core);
    if (publisher === undefined) continue;
    const found = [
      [target.digest, publisher.from],
      [other.digest, publisher.to],
    ].map(([digest, by]) => `${digest} (${by})`);
    throw managerErrors["ambiguous-version"]({ plugin: entry.name, version, found });
  }
  return target;
}

/**
 * What a kept version has when it runs again: of the same publisher, what the plugin has; of another one, what that one was
 * given and nobody has taken since, for what the plugin has was not given to that one.
 */
export async function returnOf(
  entry: Entry,
  kept: KeptVersion,
  core: Core,
): Promise<Pick<Entry, "grants" | "refused"> & Pick<Succession, "publisher">> {
  const { grants, publisher } = await successionOfKept(entry, kept, core);
  if (publisher === undefined) return { grants, refused: entry.refused, publisher };
  const given = kept.grants ?? [];
  return { grants: given, refused: withoutGrants(entry.refused, given, core.vocabulary), publisher };
}

function noSuchVersion({ name, previous }: Entry, version = "a version that did not fail"): Error {
  const kept = previous.map((one) =>
    one.failedWith === undefined ? one.version : `${one.version} (${one.failedWith})`,
  );
  return managerErrors["no-such-version"]({ plugin: name, version, kept });
}
