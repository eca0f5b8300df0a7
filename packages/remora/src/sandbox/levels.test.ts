/**
 * Preview 1 at every level of isolation: one sequence of calls, with the same answers, the same bytes in the guest's
 * memory and the same audit, whether the guest is on this thread, on another, or in a process.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import {
  defaultLimits,
  type IsolatedInstance,
  type IsolationLevel,
  isolationLevels,
  openArtifact,
  openIsolation,
} from "../engine/index.ts";
import { auditLog } from "./audit.ts";
import type { LogLine } from "./machine/log.ts";
import { suspendedWaiting } from "./machine/waiting.ts";
import { type SandboxOptions, sandboxImports } from "./sandbox-imports.ts";
import { proxyText, signatures } from "./testing/preview1-proxy.ts";
import { testNowMs } from "./testing/sandboxes.ts";

const wasi = "wasi_snapshot_preview1";

const artifact = openArtifact(
  await parse(
    proxyText().replace(
      /\)$/,
      `(data (i32.const 1000) "note.txt")
      (data (i32.const 1100) "../../etc/passwd")
      (data (i32.const 1200) "hello ")
      (data (i32.const 1300) "world\\n")
      (data (i32.const 2000) "\\b0\\04\\00\\00\\06\\00\\00\\00\\14\\05\\00\\00\\06\\00\\00\\00")
      (data (i32.const 2100) "\\00\\10\\00\\00\\40\\00\\00\\00")
      (func (export "peek") (param i32) (result i64) (i64.load (local.get 0)))
      (func (export "poke") (param i32 i64) (i64.store (local.get 0) (local.get 1))))`,
    ),
  ),
  { plugin: "proxy" },
);

async function openGuest(level: IsolationLevel, options: Partial<SandboxOptions> = {}) {
  const isolation = openIsolation(level);
  const audit = auditLog();
  const lines: LogLine[] = [];
  const sandbox = sandboxImports({
    plugin: "proxy",
    grants: [
      { capability: "wasi.base" },
      { capability: "fs.private" },
      { capability: "clock.read" },
      { capability: "random.read" },
      { capability: "env.read", names: ["SEEN"] },
    ],
    environment: { SEEN: "yes", HIDDEN: "no" },
    arguments: ["proxy", "x"],
    audit,
    log: { write: (line) => void lines.push(line) },
    nowMs: () => testNowMs,
    clock: { kind: "fixed", wallNs: 1_735_689_600_000_000_000n },
    random: { kind: "seeded", seed: "levels" },
    ...options,
  });
  const guest = await isolation.instantiate(artifact, {
    limits: defaultLimits,
    imports: (access) =>
      sandbox.forInstance(access).hostImports(Object.keys(signatures).map((item) => ({ from: wasi, item }))),
  });
  const close = () => {
    guest.close();
    sandbox.close();
    return isolation.close();
  };
  return { guest, audit, lines, close };
}

const allRights = 0x1fff_ffffn;

/** Calls, and after each the words of memory that it may have written. */
const sequence: readonly (readonly [
  name: string,
  args: readonly (number | bigint)[],
  words?: readonly number[],
])[] = [
  ["args_sizes_get", [3000, 3008], [3000, 3008]],
  ["args_get", [3100, 3200], [3100, 3200]],
  ["environ_sizes_get", [3000, 3008], [3000, 3008]],
  ["environ_get", [3100, 3200], [3100, 3200]],
  ["clock_time_get", [0, 1n, 3000], [3000]],
  ["random_get", [3000, 16], [3000, 3008]],
  ["fd_prestat_get", [3, 3000], [3000]],
  ["fd_prestat_dir_name", [3, 3000, 1], [3000]],
  ["path_open", [3, 0, 1000, 8, 1, allRights, allRights, 0, 3000], [3000]],
  ["fd_write", [4, 2000, 2, 3000], [3000]],
  ["fd_seek", [4, 0n, 0, 3000], [3000]],
  ["fd_read", [4, 2100, 1, 3000], [3000, 4096, 4104]],
  ["fd_filestat_get", [4, 3000], [3032]],
  ["fd_readdir", [3, 5000, 400, 0n, 3000], [3000, 5000, 5024]],
  ["path_filestat_get", [3, 0, 1000, 8, 3000], [3032]],
  ["path_open", [3, 0, 1100, 16, 0, allRights, allRights, 0, 3000], [3000]],
  ["path_open", [3, 0, 1000, 8, 0, allRights, allRights, 0, 200_000], [3000]],
  ["fd_write", [4, 200_000, 2, 3000]],
  ["fd_write", [1, 2000, 2, 3000], [3000]],
  ["fd_close", [4]],
  ["fd_close", [4]],
  ["path_unlink_file", [3, 1000, 8]],
  ["sock_accept", [3, 0, 3000]],
];

async function run(guest: IsolatedInstance): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const [name, args, words = []] of sequence) {
    const { result } = await guest.call(name, args);
    const memory: unknown[] = [];
    for (const at of words) memory.push((await guest.call("peek", [at])).result);
    seen.push([name, result, ...memory]);
  }
  return seen;
}

const expected = await openGuest("inline");
const answers = await run(expected.guest);

test("the sequence does what it says, on this thread", () => {
  assert.deepEqual(answers[8], ["path_open", 0, 0x1_0000_0004n]);
  assert.deepEqual(answers[11]?.toString(), "fd_read,0,12,8031924123371070824,174353522");
});

for (const level of isolationLevels.slice(1)) {
  test(`${level}: preview 1 gives the same answers, bytes, log and audit as inline`, async () => {
    const { guest, audit, lines, close } = await openGuest(level);
    assert.deepEqual(await run(guest), answers);
    assert.deepEqual(lines, expected.lines);
    assert.deepEqual(audit.entries(), expected.audit.entries());
    await close();
  });
}

for (const level of isolationLevels) {
  test(`${level}: a guest that sleeps blocks itself and not the host`, async () => {
    const { guest, close } = await openGuest(level, { clock: { kind: "real" }, waiting: suspendedWaiting });
    // One subscription: the monotonic clock, 20 ms from now.
    await guest.call("poke", [6_016, 1n]);
    await guest.call("poke", [6_024, 20_000_000n]);
    const startedMs = performance.now();
    assert.equal((await guest.call("poll_oneoff", [6_000, 7_000, 1, 3_000])).result, 0);
    assert.ok(performance.now() - startedMs >= 19);
    assert.equal((await guest.call("peek", [3_000])).result, 1n);
    // Once more, for longer than anyone watches: what ends it is the host, which has its turns.
    await guest.call("poke", [6_024, 20_000_000_000n]);
    let turns = 0;
    const ticking = setInterval(() => ++turns === 3 && guest.close(), 1);
    const sleeping = guest.call("poll_oneoff", [6_000, 7_000, 1, 3_000], { deadlineMs: 100_000 });
    await assert.rejects(sleeping, { code: "engine/closed" });
    clearInterval(ticking);
    await close();
  });

  test(`${level}: exit ends the instance and never the host`, async () => {
    const { guest, close } = await openGuest(level);
    await assert.rejects(guest.call("proc_exit", [7]), {
      code: "sandbox/exited",
      details: { plugin: "proxy", exitCode: 7 },
    });
    assert.ok(guest.isPoisoned);
    await close();
  });
}

test.after(() => expected.close());
