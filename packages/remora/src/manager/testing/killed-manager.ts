/**
 * A process for the test of SIGKILL: opens a manager on a folder and changes one plugin for ever, telling each change
 * before it begins. `node killed-manager.ts FOLDER BUNDLE BUNDLE`
 */

import { flushCompileCache } from "node:module";
import { argv, stdout } from "node:process";
import { coreVocabulary } from "../../policy/index.ts";
import { giveAll } from "../consent/asker.ts";
import { openManager } from "../open-manager.ts";

// Node would write it when the process ends by itself, and this one never does.
flushCompileCache();
const [, , folder = "", first = "", second = ""] = argv;
const manager = await openManager({
  folder,
  hosts: [
    {
      name: "test",
      version: "1.0.0",
      vocabulary: coreVocabulary,
      worlds: [
        {
          world: "test:plugin/runner@0.1.0",
          hostFunctions: [],
          imports: () => ({}),
          bind: ({ exports }) => exports,
        },
      ],
    },
  ],
  asker: giveAll,
  policy: { trust: "unsigned", probationMs: 0 },
});

for (let round = 0; ; round++) {
  stdout.write(`${round}\n`);
  if (!manager.has("adder")) await manager.install(first);
  await manager.install(second);
  await manager.rollback("adder");
  if (round % 3 === 2) await manager.remove("adder", { data: true });
}
