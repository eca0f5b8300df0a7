import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { abortable } from "../component/index.ts";
import { asyncHostFunction, defaultLimits, openArtifact } from "../engine/index.ts";
import { Plugin } from "./plugin.ts";

const artifact = openArtifact(
  await parse(`(component
    (import "ask" (func $ask (param "of" u32) (result u32)))
    (core func $a (canon lower (func $ask)))
    (core module $m (import "h" "ask" (func $ask (param i32) (result i32)))
      (func (export "run") (param i32) (result i32) (call $ask (local.get 0))))
    (core instance $i (instantiate $m (with "h" (instance (export "ask" (func $a))))))
    (func (export "run") (param "of" u32) (result u32) (canon lift (core func $i "run"))))`),
);

interface Calls {
  run(of: number): Promise<number>;
}

const run = (calls: Calls, of: number) => calls.run(of);

/** A plugin that asks the host, which answers when the test says so. */
function asking(instancesMax: number, deadlineMs = 10_000) {
  const asked: { of: number; answer: (value: number) => void }[] = [];
  const ask = asyncHostFunction((of: number) => new Promise((answer) => asked.push({ of, answer })));
  const plugin = new Plugin<Calls>({
    id: "asking",
    artifact,
    limits: { ...defaultLimits, deadlineMs },
    hostImports: { ask },
    instancesMax,
    // The component exports one function, of this type.
    bind: (instance) => instance.exports as unknown as Calls,
  });
  return { plugin, asked };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("while a call waits the next one gets another instance", async () => {
  const { plugin, asked } = asking(2);
  const calls = [plugin.callAsync(run, 1), plugin.callAsync(run, 2)];
  await turn();
  assert.deepEqual(
    asked.map(({ of }) => of),
    [1, 2],
  );
  asked[1]?.answer(20);
  asked[0]?.answer(10);
  assert.deepEqual(await Promise.all(calls), [10, 20]);
  assert.equal(plugin.metrics.instances, 2);
});

test("a call that turns out to give a promise has its instance to itself until then", async () => {
  const { plugin, asked } = asking(2);
  const first = plugin.call(run, 1);
  const second = plugin.call(run, 2);
  assert.throws(() => plugin.call(run, 3), { code: "engine/pool-exhausted" });
  for (const { of, answer } of asked) answer(of * 10);
  assert.deepEqual(await Promise.all([first, second]), [10, 20]);
  const third = plugin.call(run, 3);
  asked[2]?.answer(30);
  assert.equal(await third, 30);
  assert.deepEqual([plugin.metrics.instances, plugin.metrics.traps], [2, 0]);
});

test("when all instances wait, calls stand in line", async () => {
  const { plugin, asked } = asking(1);
  const calls = [1, 2, 3].map((of) => plugin.callAsync(run, of));
  for (let index = 0; index < 3; index++) {
    await turn();
    assert.equal(asked.length, index + 1);
    asked[index]?.answer(10 * (index + 1));
  }
  assert.deepEqual(await Promise.all(calls), [10, 20, 30]);
  assert.equal(plugin.metrics.instances, 1);
});

test("a call that nobody waits for any more leaves the line, or is ended in the guest", async () => {
  const { plugin, asked } = asking(1);
  const inGuest = new AbortController();
  const inLine = new AbortController();
  const running = plugin.callAsync((calls, of: number) => abortable(calls.run, inGuest.signal)(of), 1);
  const waiting = plugin.callAsync(run, 2, inLine.signal);
  const next = plugin.callAsync(run, 3);
  inLine.abort();
  await assert.rejects(waiting, { code: "component/cancelled" });
  inGuest.abort();
  await assert.rejects(running, { code: "component/cancelled" });
  await turn();
  assert.deepEqual(
    asked.map(({ of }) => of),
    [1, 3],
  );
  asked[1]?.answer(30);
  assert.equal(await next, 30);
});

test("a call that ends at its deadline costs its instance, and those in line get a fresh one", async () => {
  const { plugin, asked } = asking(1, 50);
  const stuck = plugin.callAsync(run, 1);
  const next = plugin.callAsync(run, 2);
  await assert.rejects(stuck, { code: "engine/deadline" });
  await turn();
  asked[1]?.answer(20);
  assert.equal(await next, 20);
  assert.deepEqual([plugin.metrics.traps, plugin.metrics.instances, plugin.metrics.calls], [1, 2, 2]);
});

test("closing a plugin turns away those who stand in line", async () => {
  const { plugin, asked } = asking(1);
  const first = plugin.callAsync(run, 1);
  const second = plugin.callAsync(run, 2);
  await turn();
  plugin.close();
  await assert.rejects(second, { code: "engine/closed" });
  asked[0]?.answer(10);
  assert.equal(await first, 10);
  await assert.rejects(plugin.callAsync(run, 3), { code: "engine/closed" });
});

test("what fails is told under the plugin's own name, however its artifact was opened", async () => {
  const { plugin, asked } = asking(1);
  const call = plugin.callAsync(run, 1);
  await turn();
  asked[0]?.answer(Number.NaN);
  await assert.rejects(call, { code: "component/host-result" });
  const { plugin: slow } = asking(1, 1);
  await assert.rejects(slow.callAsync(run, 1), { code: "engine/deadline", message: /"asking"/ });
});
