/**
 * What a component costs: a call in each shape, bytes to first result, a fresh instance, memory. The same bytes for
 * Remora with its limits, Remora without them, and the peers, whose outputs are compared before anything is
 * measured; each row names the best peer. A value is the median of many short rounds, `min` the fastest of them: on a
 * machine that others use as well, trust that and the ratios.
 */

import { isDeepStrictEqual } from "node:util";
import { callRows } from "./component/calls.ts";
import type { Contestant } from "./component/contestant.ts";
import { buildGuests, type Guests } from "./component/guests.ts";
import { jco, jcoVersions } from "./component/jco.ts";
import { installPeers, reasonOf, type Skipped } from "./component/peers.ts";
import { limits, remora, remoraUnlimited } from "./component/remora.ts";
import { renamed } from "./component/renamed.ts";
import { residentEach, unloading } from "./component/resident.ts";
import { type Row, rowOf, type Sample } from "./component/row.ts";
import { position, scriptComponent, scriptEngines } from "./component/script.ts";
import type { Figures } from "./main.ts";
import { measure, median, type Variant } from "./measure.ts";

/** Short ones, so that many are over before the machine turns to something else. */
const short = { rounds: 80, roundMs: 2 };

const limited = remora("remora", limits);
const undated = remora("remora", { ...limits, deadlineMs: Infinity });
const unlimited = remoraUnlimited("remora, limits off");

export async function run(): Promise<Figures> {
  const skipped: Skipped[] = [];
  const guests = await buildGuests();
  const peers = await availablePeers(skipped);
  const rows = [
    ...(await rowsOfCalls(guests, peers)),
    await firstResult(guests.program, peers),
    await freshInstance(guests.calls, peers),
    await resident(guests.program, peers),
    ...(await rowsOfScripts(peers, skipped)),
  ];
  return { rows, unloading: unloading(guests.program), programBytes: guests.program.length, skipped };
}

async function availablePeers(skipped: Skipped[]): Promise<Contestant[]> {
  const missing = installPeers();
  if (missing !== undefined) {
    skipped.push(missing);
    return [];
  }
  const peers: Contestant[] = [];
  for (const version of jcoVersions) {
    try {
      peers.push(await jco(version));
    } catch (error) {
      // A peer that does not load here: the report names it.
      skipped.push({ peer: version.name, reason: reasonOf(error) });
    }
  }
  return peers;
}

/** All rows in one go, each contestant with one instance of each guest, as a host has it that runs for a while. */
async function rowsOfCalls(guests: Guests, peers: readonly Contestant[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, guest, imports, bar, records = 1, isUndated = false, call } of callRows) {
    const contestants = [isUndated ? undated : limited, unlimited, ...peers];
    const calls = new Map<string, () => unknown>();
    for (const contestant of contestants) {
      const instantiate = await contestant.prepare(guests[guest], imports);
      calls.set(contestant.name, call(instantiate().exports));
    }
    compare(name, calls);
    rows.push(rowOf({ name, unit: "ns", bar, samples: timed(calls, records) }));
  }
  return rows;
}

/** A guest in JavaScript. No bars: there is nothing like it to set one by. */
async function rowsOfScripts(peers: readonly Contestant[], skipped: Skipped[]): Promise<Row[]> {
  // Without peers there is nothing that makes a component out of a script.
  if (peers.length === 0) return [];
  const component = await scriptComponent();
  if ("reason" in component) {
    skipped.push(component);
    return [];
  }
  const evaluate = new Map<string, () => unknown>();
  const add = new Map<string, () => unknown>();
  for (const contestant of [limited, unlimited, ...peers]) {
    try {
      const { script } = (await contestant.prepare(component))().exports;
      evaluate.set(contestant.name, () => script.evaluate(position));
      add.set(contestant.name, () => script.add(19, 23));
    } catch (error) {
      // A version of jco that is older than what made the component.
      skipped.push({ peer: `${contestant.name} with a script`, reason: reasonOf(error) });
    }
  }
  for (const engine of await scriptEngines(skipped)) {
    evaluate.set(engine.name, engine.evaluate);
    add.set(engine.name, engine.add);
  }
  const rowFor = (name: string, calls: ReadonlyMap<string, () => unknown>) => {
    compare(name, calls);
    return rowOf({ name, unit: "ns", bar: null, samples: timed(calls) });
  };
  return [
    rowFor("JavaScript guest, scalar call", add),
    rowFor("JavaScript guest, record of 4 fields, 2 strings", evaluate),
  ];
}

/** Nanoseconds, divided by `records`. */
function timed(calls: ReadonlyMap<string, () => unknown>, records = 1): Sample[] {
  const variants = Array.from(calls, ([contestant, once]) => repeated(contestant, once));
  warmUp(variants);
  return Array.from(measure(variants, short), ([contestant, { median: middle, min }]) => {
    return { contestant, value: middle / records, min: min / records };
  });
}

/**
 * Milliseconds from the bytes to what the first call gives, in a process that has loaded others before, until V8 had settled
 * on the code that loads them. Each time the bytes are others.
 */
async function firstResult(program: Uint8Array, peers: readonly Contestant[]): Promise<Row> {
  let loads = 0;
  const once = async (contestant: Contestant) => {
    contestant.forget?.();
    const instantiate = await contestant.prepare(renamed(program, `load ${loads++}`));
    return instantiate().exports.run("the quick brown fox jumps over the lazy dog");
  };
  const contestants = [limited, unlimited, ...peers];
  for (const contestant of contestants) {
    const until = performance.now() + 1_500;
    while (performance.now() < until) await once(contestant);
  }
  return interleaved({
    row: { name: "60 KB component, bytes to first result", unit: "ms", bar: 10 },
    contestants,
    rounds: 25,
    once,
  });
}

interface Interleaved {
  readonly row: { readonly name: string; readonly unit: string; readonly bar: number };
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly once: (contestant: Contestant) => Promise<unknown>;
}

/** For what takes milliseconds and may wait: each contestant once a round, after two rounds that do not count. */
async function interleaved({ row, contestants, rounds, once }: Interleaved): Promise<Row> {
  const samples = new Map<string, number[]>();
  const outputs = new Map<string, () => unknown>();
  for (let round = -2; round < rounds; round++) {
    for (const contestant of contestants) {
      const started = performance.now();
      const output = await once(contestant);
      const ms = performance.now() - started;
      outputs.set(contestant.name, () => output);
      if (round >= 0) samples.set(contestant.name, [...(samples.get(contestant.name) ?? []), ms]);
    }
    compare(row.name, outputs);
  }
  return rowOf({
    ...row,
    samples: Array.from(samples, ([contestant, values]) => ({
      contestant,
      value: median(values),
      min: Math.min(...values),
    })),
  });
}

/** Microseconds of one more instance, up to exports that can be called; ours are closed, as a pool does. */
async function freshInstance(component: Uint8Array, peers: readonly Contestant[]): Promise<Row> {
  const makers = new Map<string, () => unknown>();
  const outputs = new Map<string, () => unknown>();
  for (const contestant of [limited, unlimited, ...peers]) {
    const instantiate = await contestant.prepare(component);
    makers.set(contestant.name, () => {
      const instance = instantiate();
      instance.close?.();
      return instance;
    });
    outputs.set(contestant.name, () => instantiate().exports.calls.add(1, 2));
  }
  const name = "fresh instance of a compiled component";
  compare(name, outputs);
  const variants = Array.from(makers, ([contestant, once]) => repeated(contestant, once));
  for (const { run } of variants) run(1_000);
  const times = measure(variants, { ...short, rounds: 40 });
  const samples = Array.from(times, ([contestant, { median: middle, min }]): Sample => {
    return { contestant, value: middle / 1_000, min: min / 1_000 };
  });
  return rowOf({ name, unit: "µs", bar: 40, samples });
}

/** Megabytes for each of 50 plugins that were called once. */
async function resident(component: Uint8Array, peers: readonly Contestant[]): Promise<Row> {
  const sizes = await residentEach(component, [limited, unlimited, ...peers]);
  const samples = Array.from(sizes, ([contestant, each]): Sample => {
    return { contestant, value: median(each), min: Math.min(...each) };
  });
  return rowOf({ name: "50 plugins loaded, resident each", unit: "MB", bar: 0.5, samples });
}

function compare(row: string, calls: ReadonlyMap<string, () => unknown>): void {
  const outcomes = Array.from(calls, ([name, once]) => [name, once()] as const);
  const [first] = outcomes;
  for (const [name, outcome] of outcomes) {
    if (!isDeepStrictEqual(outcome, first?.[1]))
      throw new Error(`${row}: ${name} and ${first?.[0]} disagree`);
  }
}

/** Until V8 has settled on its code: it compiles in the background, and on a busy machine that takes its time. */
function warmUp(variants: readonly Variant[]): void {
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    for (const { run } of variants) {
      const until = performance.now() + 500 / rounds;
      while (performance.now() < until) run(500);
    }
  }
}

let loops = 0;

/**
 * A loop of its own for each variant, out of text, since one that they shared would learn all of them and then call
 * each in the slow way that fits all. V8 knows a text again, with what it has learned for it: so each is another.
 */
function repeated(name: string, once: () => unknown): Variant {
  const makeLoop = new Function(
    "once",
    `/* ${++loops} */ return (count) => { let last; for (let index = 0; index < count; index++) last = once(); return last; }`,
  );
  return { name, run: makeLoop(once) };
}
