/** Whether a plugin runs. */

import { aloneAmong, type Core, entryOf, prepare, tellOf, writeEntry } from "../core.ts";
import { inStep } from "../errors.ts";
import { checkNeeds, checkUnneeded } from "../install/dependencies.ts";
import type { Entry } from "../store/entry.ts";

export async function enable(name: string, core: Core): Promise<void> {
  const needed = Object.keys(entryOf(core, name).current?.needs ?? {});
  return aloneAmong(core, name, needed, () => enableNow(entryOf(core, name), core));
}

export function disable(name: string, core: Core): Promise<void> {
  return core.alone(name, () => disableNow(entryOf(core, name), core));
}

/** For whoever changes the plugin already: one that is enabled is left as it is. */
export async function switchTo(isEnabled: boolean, entry: Entry, core: Core): Promise<void> {
  if (entry.isEnabled === isEnabled) return;
  await (isEnabled ? enableNow(entry, core) : disableNow(entry, core));
}

/** As with an install, what cannot run leaves all as it was: a plugin that was disabled stays so, also over restarts. */
export async function enableNow(entry: Entry, core: Core): Promise<void> {
  if (entry.isEnabled) return retryNow(entry, core);
  const { name } = entry;
  try {
    await start(entry, core);
    await writeEntry(core, { ...entry, isEnabled: true });
  } catch (error) {
    await core.pluginOf(name).stop();
    throw error;
  }
  tellOf(core, name, { kind: "enabled" });
}

async function disableNow(entry: Entry, core: Core): Promise<void> {
  if (!entry.isEnabled) return;
  const { name } = entry;
  checkUnneeded(name, "disable", core.entries);
  await writeEntry(core, { ...entry, isEnabled: false });
  await core.pluginOf(name).stop();
  tellOf(core, name, { kind: "disabled" });
}

/** One that is enabled and waits for its next try has it now; when that fails, it waits again. */
async function retryNow(entry: Entry, core: Core): Promise<void> {
  const plugin = core.pluginOf(entry.name);
  // Being made by its supervisor, which comes after this with what is written down.
  if (plugin.serving !== undefined || plugin.state === "preparing") return;
  try {
    await start(entry, core);
  } catch (error) {
    if (plugin.state === "broken") plugin.waitAndRetry();
    throw error;
  }
}

async function start(entry: Entry, core: Core): Promise<void> {
  const { name, current: version, grants, settings } = entry;
  // Nothing of it may run while its first version waits for consent.
  if (version === undefined) return;
  checkNeeds(entry, "enable", core.entries);
  const make = () => core.pluginOf(name).start(() => prepare(core, { name, version, grants, settings }));
  await inStep("prepare", name, make, "enable");
}
