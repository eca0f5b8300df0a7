/**
 * The newest version that the sources have and that can run here, in place of the one that runs. Never an older one, or
 * another one of the same number: who wants that installs it.
 */

import { type Core, entryOf } from "../core.ts";
import { doingAs, inStep } from "../errors.ts";
import { noSource, offersOf } from "../install/fetch.ts";
import { type InstallOptions, installFirst } from "../install/install.ts";
import { newerThan } from "../install/source.ts";

export async function update(
  name: string,
  range: string,
  core: Core,
  options: InstallOptions,
): Promise<{ version: string; isNew: boolean }> {
  const before = entryOf(core, name).current;
  const found = await core.closing.orLeave(() =>
    inStep("resolve", name, () => offersOf(name, range, core.sources), "update"),
  );
  // No step of an install has failed: there is nothing to install, as for any plugin that came from a file.
  if (found.length === 0) throw noSource(name, range, core.sources);
  const newer = before === undefined ? found : newerThan(found, before.version);
  if (newer.length > 0) await doingAs("update", name, () => installFirst(newer, name, core, options));
  const { version = "" } = entryOf(core, name).current ?? {};
  return { version, isNew: newer.length > 0 };
}
