import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManagedPlugin, Manager, PluginCounts, PluginInfo } from "remora/manager";
import { PrometheusText } from "./prometheus.ts";

const counts: PluginCounts = {
  calls: 10,
  traps: 1,
  fuelUsed: 1_000,
  instances: 2,
  cpuNs: 5e6,
  hostCalls: 7,
  refusals: 3,
  sentBytes: 300,
  receivedBytes: 400,
  reloads: 1,
  returns: 0,
};

/** What the text reads of a manager: names, states, and counts, by default the same for all. */
function managerOf(
  names: () => readonly string[],
  countsOf: (name: string) => PluginCounts = () => counts,
): Pick<Manager, "list" | "get"> {
  const plugin = (name: string) => ({ counts: () => countsOf(name), metrics: undefined, serving: undefined });
  return {
    list: () => names().map((name) => ({ name, state: "running" }) as PluginInfo),
    get: <Calls>(name: string) => plugin(name) as unknown as ManagedPlugin<Calls>,
  };
}

const seriesOf = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("each count is a series of its plugin, in the units of its name", async () => {
  const text = await new PrometheusText(managerOf(() => ["geofence"])).text();
  for (const line of [
    'remora_plugin_calls_total{plugin="geofence"} 10',
    'remora_plugin_cpu_seconds_total{plugin="geofence"} 0.005',
    'remora_plugin_refusals_total{plugin="geofence"} 3',
    'remora_plugin_sent_bytes_total{plugin="geofence"} 300',
    'remora_plugin_received_bytes_total{plugin="geofence"} 400',
    'remora_plugin_call_seconds{plugin="geofence",quantile="0.99"} 0',
    'remora_plugins{state="running"} 1',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), `${line}\n${text}`);
  }
  assert.match(text, /^# TYPE remora_plugin_calls_total counter$/m);
});

test("asked twice, a counter says the same, and a plugin that was removed has no series any more", async () => {
  let names = ["a", "b"];
  const metrics = new PrometheusText(managerOf(() => names));
  const first = await metrics.text();
  assert.equal(await metrics.text(), first);
  names = ["b"];
  assert.ok(!(await metrics.text()).includes('plugin="a"'));
});

test("a publisher that makes up names gets no series without end: those beyond the bound are one", async () => {
  let names: string[] = [];
  const metrics = new PrometheusText(
    managerOf(() => names),
    { pluginsMax: 5 },
  );
  let bound = 0;
  for (let round = 0; round < 20; round++) {
    names = Array.from({ length: 100 }, (_, n) => `plugin-${round}-${n}`);
    const series = seriesOf(await metrics.text());
    bound ||= series.length;
    assert.equal(series.length, bound);
    assert.ok(series.includes(`remora_plugin_calls_total{plugin="_other"} ${950 * (round + 1)}`));
  }
  assert.ok(bound <= 6 * 20, `${bound} series`);
});

test("no counter goes down or jumps when another plugin comes or goes, and what is gone stays in the sum", async () => {
  const calls = new Map(["b", "c", "d", "e"].map((name) => [name, 1_000]));
  const metrics = new PrometheusText(
    managerOf(
      () => [...calls.keys()].sort(),
      (name) => ({ ...counts, calls: calls.get(name) ?? 0 }),
    ),
    { pluginsMax: 2 },
  );
  const callsNow = async () => {
    const found = (await metrics.text()).matchAll(/^remora_plugin_calls_total\{plugin="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries(Array.from(found, ([, plugin, count]) => [plugin, Number(count)]));
  };
  assert.deepEqual(await callsNow(), { b: 1_000, c: 1_000, _other: 2_000 });
  calls.set("a", 0);
  assert.deepEqual(await callsNow(), { b: 1_000, c: 1_000, _other: 2_000 });
  calls.set("d", 1_500).set("a", 5);
  calls.delete("b");
  assert.deepEqual(await callsNow(), { c: 1_000, _other: 2_505 });
  calls.delete("d");
  assert.deepEqual(await callsNow(), { c: 1_000, _other: 2_505 });
  calls.set("e", 10); // removed and installed again in between: it began anew
  assert.deepEqual(await callsNow(), { c: 1_000, _other: 2_515 });
  calls.set("f", 7);
  assert.deepEqual(await callsNow(), { c: 1_000, f: 7, _other: 2_515 });
  for (const name of ["a", "e"]) calls.delete(name);
  assert.deepEqual(await callsNow(), { c: 1_000, f: 7, _other: 2_515 });
});
