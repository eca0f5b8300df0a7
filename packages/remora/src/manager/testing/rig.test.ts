/** A manager over a folder of its own, a host with one small world, and plugins as text. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { bundleOf, type PluginText } from "../../../../test-bundle.ts";
import { isRemoraError, type RemoraError } from "../../base/index.ts";
import type { CoreFunction } from "../../component/core.ts";
import type { IsolatedInstance } from "../../engine/index.ts";
import { coreVocabulary } from "../../policy/index.ts";
import { giveAll } from "../consent/asker.ts";
import type { PluginHost, WorldBinding } from "../host.ts";
import type { Manager } from "../manager.ts";
import type { ManagerEvent } from "../manager-event.ts";
import { type OpenManagerOptions, openManager } from "../open-manager.ts";
import { FakeClock } from "./fake-clock.ts";

export { bundleOf, manifestOf, moduleOf, type PluginText } from "../../../../test-bundle.ts";

/** What the test's host calls: a number in, a number out. */
export interface Calls {
  readonly run: (value: number) => number;
}

export const run = (calls: Calls, value: number): number => calls.run(value);

const world: WorldBinding<Calls> = {
  world: "test:plugin/runner@0.1.0",
  hostFunctions: ["env", "env.tell"],
  imports: ({ log }) => ({ env: { tell: (value: number) => log("info", `told ${value}`) } }),
  bind: ({ exports }) => ({ run: (exports as Record<string, CoreFunction>).run as Calls["run"] }),
};

export const testHost: PluginHost = {
  name: "test",
  version: "1.0.0",
  vocabulary: coreVocabulary,
  worlds: [world as WorldBinding],
};

/** What it calls where guests may be behind walls. */
export interface AsyncCalls {
  readonly run: (value: number) => Promise<unknown>;
}

export const runAsync = (calls: AsyncCalls, value: number) => calls.run(value);

/** The same host, for guests at every level. */
export const walledHost: PluginHost = {
  ...testHost,
  worlds: testHost.worlds.map((one) => ({
    ...one,
    bindIsolated: (guest: IsolatedInstance): AsyncCalls => ({
      run: async (value) => (await guest.call("run", [value])).result,
    }),
  })),
};

/** Modules, by what they do. `run` of the plain ones adds their constant. */
export const guests = {
  adds: (constant: number) => `(func (export "run") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const ${constant})))`,
  loops: '(func (export "run") (param i32) (result i32) (loop (br 0)) (unreachable))',
  /** Traps when it is given a negative number. */
  trapsBelowZero: `(func (export "run") (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then (unreachable))) (local.get 0))`,
  trapsAtStart: `(func $start (unreachable)) (start $start)
    (func (export "run") (param i32) (result i32) (local.get 0))`,
  isUnhealthy: `(func (export "check_health") (result i32) (i32.const 7))
    (func (export "run") (param i32) (result i32) (local.get 0))`,
  trapsInHealth: `(func (export "check_health") (result i32) (unreachable))
    (func (export "run") (param i32) (result i32) (local.get 0))`,
  /** A sum that it hands over; `tag` is added to each answer, to tell versions apart. */
  sums: (tag: number, more = "") => `(memory (export "memory") 1) (global $sum (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32)
      (global.set $sum (i32.add (global.get $sum) (local.get 0)))
      (i32.add (global.get $sum) (i32.const ${tag})))
    (func (export "alloc") (param i32) (result i32) (i32.const 64))
    (func (export "save_state") (result i64)
      (i32.store (i32.const 32) (global.get $sum))
      (i64.or (i64.shl (i64.const 32) (i64.const 32)) (i64.const 4)))
    (func (export "restore_state") (param i32 i32) (result i32)
      (global.set $sum (i32.load (local.get 0))) (i32.const 0))
    ${more}`,
};

/** As `manager.install` takes it. */
export async function ref(fields: string, text: PluginText = {}) {
  return { bytes: await bundleOf(fields, text), origin: "a test" };
}

/** What is opened in a test's folders, and is closed before they go. */
const opened = new WeakMap<TestContext, Manager[]>();

export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-manager-"));
  t.after(async () => {
    for (const manager of opened.get(t) ?? []) await manager.close().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface Rig {
  readonly manager: Manager;
  readonly clock: FakeClock;
  readonly events: ManagerEvent[];
  readonly folder: string;
  /** Closes the manager and opens another one on the same folder. */
  reopen(options?: Partial<OpenManagerOptions>): Promise<Rig>;
}

export async function rig(t: TestContext, options: Partial<OpenManagerOptions> = {}): Promise<Rig> {
  const { folder = folderFor(t), clock = new FakeClock() } = options;
  const events: ManagerEvent[] = [];
  const whole: OpenManagerOptions = {
    folder,
    hosts: [testHost],
    asker: giveAll,
    clock,
    random: () => 1,
    onEvent: (event) => void events.push(event),
    ...options,
    policy: { trust: "unsigned", ...options.policy },
  };
  const manager = await openManager(whole);
  opened.set(t, [...(opened.get(t) ?? []), manager]);
  t.after(() => manager.close());
  return {
    manager,
    clock: clock as FakeClock, // a test that brings its own does not ask for this one
    events,
    folder,
    async reopen(changes = {}) {
      await manager.close();
      return rig(t, { ...options, folder, clock, ...changes });
    },
  };
}

/** That it rejects with this code, and what its cause's code is. */
export async function expectRejected(
  promise: Promise<unknown>,
  code: string,
  causeCode?: string,
): Promise<RemoraError> {
  const error = await promise.then(
    () => assert.fail(`resolved instead of ${code}`),
    (reason: unknown) => reason,
  );
  assert.ok(isRemoraError(error), String(error));
  assert.equal(error.code, code, error.message);
  if (causeCode === undefined) return error;
  assert.ok(isRemoraError(error.cause), String(error.cause));
  assert.equal(error.cause.code, causeCode, error.cause.message);
  return error;
}

/** Lets everything run that is ready to, until it is true. */
export async function settled(isTrue: () => boolean, withinMs = 20_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!isTrue() && performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(isTrue());
}
