/** The host of the manager's benchmark, with one small world, and without what its guests are made with. */

import { giveAll, type Manager, openManager, type PluginHost, type WorldBinding } from "remora/manager";
import { coreVocabulary } from "remora/policy";

/** Of the plugin that the bars call small. */
export const smallKb = 20;

/** What the host calls. */
export interface Calls {
  readonly run: (value: number) => number;
}

export const run = (calls: Calls, value: number): number => calls.run(value);

const world: WorldBinding<Calls> = {
  world: "bench:plugin/runner@0.1.0",
  hostFunctions: [],
  imports: () => ({}),
  bind: ({ exports }) => exports as unknown as Calls, // a module of this file, which exports `run`
};

export const benchHost: PluginHost = {
  name: "bench",
  version: "1.0.0",
  vocabulary: coreVocabulary,
  worlds: [world as WorldBinding],
};

/** A manager that takes in what it is given. */
export function openBench(folder: string): Promise<Manager> {
  return openManager({
    folder,
    hosts: [benchHost],
    asker: giveAll,
    policy: { trust: "unsigned", healthEveryMs: 0 },
  });
}
