/** A kept version runs again: steps 7 to 9 of an install, with what is in the store. */

import { type Core, entryOf, writeEntry } from "../core.ts";
import { inStep, managerErrors } from "../errors.ts";
import { change } from "../install/install.ts";
import type { ManagedPlugin } from "../managed-plugin.ts";
import type { Entry } from "../store/entry.ts";

export function rollback(name: string, version: string | undefined, core: Core): Promise<ManagedPlugin> {
  return core.alone(name, async () => {
    const before = entryOf(core, name);
    const target = before.previous.find((one) =>
      version === undefined ? one.failedWith === undefined : one.version === version,
    );
    if (target === undefined) throw noSuchVersion(before, version);
    const { isEnabled, grants, refused } = before;
    const state = { isEnabled, grants, refused };
    const candidate = { ...target, ...state, operation: "rollback" as const, failedWith: undefined };
    const entry = { ...before, candidate };
    await inStep("place", name, () => writeEntry(core, entry), "roll back");
    return change({ entry, before }, core, { state: true });
  });
}

function noSuchVersion({ name, previous }: Entry, version = "a version that did not fail"): Error {
  const kept = previous.map((one) =>
    one.failedWith === undefined ? one.version : `${one.version} (${one.failedWith})`,
  );
  return managerErrors["no-such-version"]({ plugin: name, version, kept });
}
