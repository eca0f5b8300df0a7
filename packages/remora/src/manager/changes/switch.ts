/** Whether a plugin runs. */

import { type Core, entryOf, prepare, tellOf, writeEntry } from "../core.ts";
import { inStep } from "../errors.ts";
import { checkUnneeded } from "../install/dependencies.ts";

export function enable(name: string, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    const plugin = core.pluginOf(name);
    const { current, grants } = entry;
    if (!entry.isEnabled) await writeEntry(core, { ...entry, isEnabled: true });
    if (current !== undefined && plugin.serving === undefined) {
      const start = () => plugin.start(() => prepare(core, { name, version: current, grants }));
      await inStep("prepare", name, start, "enable");
    }
    if (!entry.isEnabled) tellOf(core, name, { kind: "enabled" });
  });
}

export function disable(name: string, core: Core): Promise<void> {
  return core.alone(name, async () => {
    const entry = entryOf(core, name);
    if (!entry.isEnabled) return;
    checkUnneeded(name, "disable", core.entries);
    await writeEntry(core, { ...entry, isEnabled: false });
    await core.pluginOf(name).stop();
    tellOf(core, name, { kind: "disabled" });
  });
}
