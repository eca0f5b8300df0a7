/**
 * `node fuzz/main.ts --count N --seed S [--flavour NAME] [--json]`: random modules, original against rewritten, and
 * malformed ones made from them. Each is known by its seed; one that ever failed goes into `kept.json` and is run by
 * `npm test` from then on.
 */

import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { compare } from "./differ.ts";
import { judgeMalformed, malformedModule } from "./malformed.ts";
import { flavours, ModuleMaker } from "./random-modules.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    flavour: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const count = Number(values.count);
const first = Number(values.seed);
const chosen = flavours.filter(({ name }) => values.flavour === undefined || values.flavour === name);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(first) || count < 1 || chosen.length === 0) {
  console.error(
    `--count and --seed are whole numbers; --flavour is one of ${flavours.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

/** Malformed modules made from each valid one. */
const malformedEach = 10;

/**
 * Each memory reserves gigabytes of address space until it is collected, which V8 does not hurry to do: it sees only
 * the few kilobytes that are used.
 */
const modulesBetweenCollections = 10;
setFlagsFromString("--expose-gc");
// The function that the flag above makes.
const collect = runInNewContext("gc") as () => void;

const progress = new Int32Array(new SharedArrayBuffer(8));
const watch = watchFor(30_000);
const totals = { modules: 0, alike: 0, skipped: 0, different: 0, lines: 0, malformed: 0, wrong: 0 };
{
  using maker = new ModuleMaker();
  for (let index = 0; index < count; index++) {
    const seed = first + index;
    const flavour = chosen[seed % chosen.length] ?? flavours[0];
    if (flavour === undefined) break;
    if (index % modulesBetweenCollections === 0) {
      // What waits in this turn of the event loop is not garbage yet.
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    progress[0] = seed;
    Atomics.add(progress, 1, 1);
    const bytes = await maker.make(seed, flavour);
    if (bytes === undefined) continue;
    totals.modules++;
    const verdict = compare(bytes, flavour);
    totals[verdict.kind]++;
    if (verdict.kind === "alike") totals.lines += verdict.calls;
    if (verdict.kind === "different") {
      console.error(`seed ${seed}, ${flavour.name}: ${verdict.variant}: ${verdict.what}`);
    }
    for (let round = 0; round < malformedEach; round++) {
      const judged = judgeMalformed(malformedModule(bytes, seed * malformedEach + round));
      totals.malformed++;
      if (judged.kind === "answered") continue;
      totals.wrong++;
      console.error(`seed ${seed}, ${flavour.name}, malformed ${round}: ${judged.what}`);
    }
  }
}
await watch.terminate();
console.log(values.json ? JSON.stringify(totals) : totals);
process.exitCode = totals.different === 0 && totals.wrong === 0 ? 0 : 1;

/** A loop without end cannot be interrupted from inside: another thread says which seed it was and ends the process. */
function watchFor(stillMs: number): Worker {
  const code = `
    const { workerData } = require("node:worker_threads");
    let before = -1;
    setInterval(() => {
      const now = Atomics.load(workerData.progress, 1);
      if (now === before) {
        require("node:fs").writeSync(2, "seed " + workerData.progress[0] + ": no end after ${stillMs} ms\\n");
        process.kill(process.pid, "SIGKILL");
      }
      before = now;
    }, ${stillMs});`;
  return new Worker(code, { eval: true, workerData: { progress } });
}
