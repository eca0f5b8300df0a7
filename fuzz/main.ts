/**
 * `node fuzz/main.ts --count N --seed S [--flavour NAME] [--json]`: random modules, original against rewritten, and
 * malformed ones made from them. Each is known by its seed, which gives a module of wasm-opt's, of one flavour, and one
 * of nothing but control flow (the flavour "control flow" alone: only these). A seed that ever failed goes into `kept.json`
 * and is run by `npm test` from then on.
 */

import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { controlFlowModule } from "./control-flow-modules.ts";
import { compare } from "./differ.ts";
import { judgeDistance } from "./distance.ts";
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
const controlFlow = "control flow";
const isChosen = (name: string) => values.flavour === undefined || values.flavour === name;
const chosen = flavours.filter(({ name }) => isChosen(name));
const isNone = chosen.length === 0 && !isChosen(controlFlow);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(first) || count < 1 || isNone) {
  const names = [...flavours.map(({ name }) => name), controlFlow];
  console.error(`--count and --seed are whole numbers; --flavour is one of ${names.join(", ")}`);
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
const totals = {
  modules: 0,
  alike: 0,
  skipped: 0,
  different: 0,
  lines: 0,
  malformed: 0,
  wrong: 0,
  longest: 0,
};
{
  using maker = new ModuleMaker();
  for (let index = 0; index < count; index++) {
    const seed = first + index;
    if (index % modulesBetweenCollections === 0) {
      // What waits in this turn of the event loop is not garbage yet.
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    progress[0] = seed;
    Atomics.add(progress, 1, 1);
    const flavour = chosen[seed % chosen.length];
    const bytes = flavour === undefined ? undefined : await maker.make(seed, flavour);
    if (flavour !== undefined && bytes !== undefined) judge(seed, flavour.name, bytes, flavour.hasNoNan);
    if (isChosen(controlFlow)) judgeControlFlow(seed);
  }
}
await watch.terminate();
console.log(values.json ? JSON.stringify(totals) : totals);
process.exitCode = totals.different === 0 && totals.wrong === 0 ? 0 : 1;

function judge(seed: number, name: string, bytes: Uint8Array, hasNoNan: boolean): void {
  totals.modules++;
  const verdict = compare(bytes, hasNoNan);
  totals[verdict.kind]++;
  if (verdict.kind === "alike") totals.lines += verdict.calls;
  if (verdict.kind === "different") {
    console.error(`seed ${seed}, ${name}: ${verdict.variant}: ${verdict.what}`);
  }
  for (let round = 0; round < malformedEach; round++) {
    const judged = judgeMalformed(malformedModule(bytes, seed * malformedEach + round));
    totals.malformed++;
    if (judged.kind === "answered") continue;
    totals.wrong++;
    console.error(`seed ${seed}, ${name}, malformed ${round}: ${judged.what}`);
  }
}

function judgeControlFlow(seed: number): void {
  const bytes = controlFlowModule(seed);
  judge(seed, controlFlow, bytes, true);
  const judged = judgeDistance(bytes);
  totals.longest = Math.max(totals.longest, judged.longest);
  if (judged.kind === "within") return;
  totals.wrong++;
  console.error(`seed ${seed}, ${controlFlow}: ${judged.longest} units without a check`);
}

/**
 * A loop without end cannot be interrupted from inside: another thread says which seed it was and ends the process. By the time
 * that the process has had, since it may get little of it.
 */
function watchFor(cpuMs: number): Worker {
  const code = `
    const { workerData } = require("node:worker_threads");
    const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
    let before = -1;
    let since = cpuMs();
    setInterval(() => {
      const now = Atomics.load(workerData.progress, 1);
      if (now !== before) {
        before = now;
        since = cpuMs();
      } else if (cpuMs() - since > ${cpuMs}) {
        require("node:fs").writeSync(2, "seed " + workerData.progress[0] + ": no end after ${cpuMs} ms\\n");
        process.kill(process.pid, "SIGKILL");
      }
    }, 1_000);`;
  return new Worker(code, { eval: true, workerData: { progress } });
}
