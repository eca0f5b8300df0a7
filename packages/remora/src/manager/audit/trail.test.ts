import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import type { Json } from "../../bundle/index.ts";
import type { Decision } from "../../policy/index.ts";
import { gateAudit } from "./gate-audit.ts";
import { parseHead, printHead } from "./head.ts";
import { readTrail, verifyTrailFolder } from "./read-trail.ts";
import { auditEventBytesMax, type ChainEnd, parseRecord } from "./record.ts";
import { AuditTrail, type AuditTrailOptions } from "./trail.ts";
import type { TrailFiles } from "./trail-files.ts";
import { headName, trailNames } from "./trail-names.ts";
import { verifyTrail } from "./verify.ts";

const nowMs = () => Date.parse("2026-11-28T12:00:00Z");

/** Files in memory; after `budget` bytes and cuts, everything fails, as it does for a process that was killed. */
function memoryFiles(
  files = new Map<string, Uint8Array>(),
  state = { budget: Number.POSITIVE_INFINITY, code: "KILLED" },
): TrailFiles & { readonly files: Map<string, Uint8Array>; readonly state: typeof state } {
  const spend = (wanted: number): number => {
    const given = Math.min(wanted, Math.max(0, state.budget));
    state.budget -= wanted;
    return given;
  };
  const fail = () => Object.assign(new Error(state.code), { code: state.code });
  const held = new Set<string>();
  return {
    files,
    state,
    list: () => [...files.keys()],
    sizeOf: (name) => files.get(name)?.length ?? 0,
    read: (name, offset = 0) => files.get(name)?.slice(offset),
    hold: (name) => {
      held.add(name);
      if (!files.has(name)) files.set(name, new Uint8Array(0));
    },
    isHeld: (name) => held.has(name) && files.has(name),
    reopen: () => held.clear(),
    write: (name, bytes, offset) => {
      const given = spend(bytes.length);
      const before = files.get(name) ?? new Uint8Array(0);
      const after = new Uint8Array(Math.max(before.length, offset + given));
      after.set(before);
      after.set(bytes.subarray(0, given), offset);
      files.set(name, after);
      if (given < bytes.length) throw fail();
    },
    cut: (name, sizeBytes) => {
      if (spend(1) < 1) throw fail();
      files.set(name, (files.get(name) ?? new Uint8Array(0)).slice(0, sizeBytes));
    },
    sync: () => {},
    remove: (name) => {
      if (spend(1) < 1) throw fail();
      files.delete(name);
    },
    close: () => {},
  };
}

function trailOn(files: TrailFiles, options: Partial<AuditTrailOptions> = {}): AuditTrail {
  return new AuditTrail({ folder: "trail", nowMs, files, ...options });
}

function written(lines: number, options: Partial<AuditTrailOptions> = {}) {
  const files = memoryFiles();
  const trail = trailOn(files, options);
  for (let n = 1; n <= lines; n++) trail.append({ kind: "test.happened", n });
  return { files, trail };
}

/** The pure function over what is in memory. */
function verdictOf(files: TrailFiles, expected?: ChainEnd) {
  const head = parseHead(files.read(headName) ?? new Uint8Array(0));
  const lines = trailNames(files.list()).flatMap((file) => {
    const texts = new TextDecoder().decode(files.read(file)).split("\n");
    return texts
      .map((text, at) => ({
        file,
        number: at + 1,
        text,
        bytes: Buffer.byteLength(text),
        isTorn: at === texts.length - 1,
      }))
      .filter(({ text, isTorn }) => !isTorn || text !== "");
  });
  return verifyTrail(lines, { before: head }, expected);
}

function expectIntact(files: TrailFiles, lines?: number) {
  const verdict = verdictOf(files);
  assert.ok(verdict.kind === "intact", JSON.stringify(verdict));
  if (lines !== undefined) assert.equal(verdict.lines, lines);
  return verdict;
}

function expectBroken(files: TrailFiles, problem: string, seq: number, expected?: ChainEnd) {
  const verdict = verdictOf(files, expected);
  assert.ok(verdict.kind === "broken", JSON.stringify(verdict));
  assert.deepEqual([verdict.problem, verdict.seq], [problem, seq], verdict.message);
}

const textOf = (files: ReturnType<typeof memoryFiles>, name: string) =>
  Buffer.from(files.files.get(name) ?? []).toString();
const put = (files: ReturnType<typeof memoryFiles>, name: string, text: string) =>
  files.files.set(name, Buffer.from(text));
const first = "audit-000001.jsonl";

test("lines are linked across files, and verify to the last", async () => {
  const { files, trail } = written(50, { fileBytesMax: 2_000 });
  assert.ok(files.files.size > 5);
  const verdict = expectIntact(files, 50);
  assert.deepEqual(verdict.last, trail.end);
  assert.deepEqual(
    (await readTrail("trail", { recordsMax: 3 }, files)).map(({ event }) => event.n),
    [50, 49, 48],
  );
  assert.deepEqual(
    (await readTrail("trail", { recordsMax: 2, beforeSeq: 20 }, files)).map(({ seq }) => seq),
    [19, 18],
  );
});

test("questions are answered one after the other, and so many wait for it and no more", async () => {
  const { files } = written(50, { fileBytesMax: 8_000 });
  const read: string[] = [];
  const trail = trailOn({
    ...files,
    read(name, offset) {
      if (name.startsWith("audit-")) read.push(name);
      return files.read(name, offset);
    },
  });
  read.length = 0;
  const ask = () => trail.read({ recordsMax: 100, isWanted: () => false });
  const questions = [ask(), ask(), trail.verify(), ...Array.from({ length: 5 }, ask)];
  await assert.rejects(ask(), { code: "manager/audit-busy" });
  await Promise.all(questions);
  const names = trailNames(files.list());
  assert.ok(names.length > 1);
  const newestFirst = names.toReversed();
  assert.deepEqual(read, [...newestFirst, ...newestFirst, ...names, ...Array(5).fill(newestFirst).flat()]);
  assert.deepEqual(await ask(), []);
});

test("the newest lines are found in a file whose last one has no end, and in one of a line", async () => {
  const { files, trail } = written(2);
  const text = textOf(files, first);
  put(files, first, text.slice(0, -1));
  const newest = async () => (await trail.read({ recordsMax: 9 })).map(({ seq }) => seq);
  assert.deepEqual(await newest(), [2, 1]);
  put(files, first, text.slice(0, text.indexOf("\n") + 1));
  assert.deepEqual(await newest(), [1]);
  put(files, first, "\n");
  assert.deepEqual(await newest(), []);
});

test("a trail that was never written to is intact and empty, and a folder that lost all of it is not", () => {
  const { files } = written(0);
  assert.deepEqual(expectIntact(files, 0).last, undefined);
  expectBroken(memoryFiles(), "no-head", 0);
});

test("old files are removed when there are too many, and the trail says so and still verifies", async () => {
  const { files } = written(50, { fileBytesMax: 2_000, filesMax: 3 });
  assert.equal(files.list().filter((name) => name.startsWith("audit-")).length, 3);
  const verdict = expectIntact(files);
  assert.ok((verdict.first?.seq ?? 0) > 1);
  assert.ok(
    (await readTrail("trail", { recordsMax: 100 }, files)).some(
      ({ event }) => event.kind === "audit.removed",
    ),
  );
  // The oldest that is kept is not for anybody else to remove.
  files.files.delete(
    files
      .list()
      .filter((name) => name.startsWith("audit-"))
      .sort()[0] ?? "",
  );
  expectBroken(files, "missing", verdict.first?.seq ?? 0);
});

test("a changed line is named, whatever is changed in it", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const { files } = written(5);
      const bytes = files.files.get(first) ?? new Uint8Array(0);
      const place = at % (bytes.length - 1); // the last byte is the end of the last line: a torn line, see below
      const seq = Buffer.from(bytes.subarray(0, place)).toString("latin1").split("\n").length;
      bytes[place] = (bytes[place] ?? 0) ^ flip;
      const verdict = verdictOf(files);
      assert.ok(verdict.kind === "broken" && verdict.problem === "changed", JSON.stringify(verdict));
      assert.equal(verdict.seq, seq);
    }),
  );
});

test("a byte that no text shows is a change too", async () => {
  const { files, trail } = written(2);
  trail.append({ kind: "test.happened", text: "what was no text: \ufffd" });
  const bytes = Buffer.from(files.files.get(first) ?? []);
  const at = bytes.indexOf("\ufffd");
  const verified = async (changed: Uint8Array) => {
    files.files.set(first, changed);
    const verdict = await trail.verify();
    return verdict.kind === "broken" ? [verdict.problem, verdict.seq] : [verdict.kind, verdict.lines];
  };
  assert.deepEqual(await verified(bytes), ["intact", 3]);
  const notText = Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at + 3)]);
  assert.deepEqual(await verified(notText), ["changed", 3]);
  const marked = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes]);
  assert.deepEqual(await verified(marked), ["changed", 1]);
});

test("a line that was written anew with hashes counted again is found by its successor", () => {
  const { files } = written(5);
  const other = written(2);
  other.trail.append({ kind: "test.forged" });
  const lines = textOf(files, first).split("\n");
  lines[2] = textOf(other.files, first).split("\n")[2] ?? "";
  put(files, first, lines.join("\n"));
  expectBroken(files, "changed", 3);
});

test("a line that is missing in the middle, one that was moved and one that stands twice are told apart", () => {
  const edit = (change: (lines: string[]) => void) => {
    const { files } = written(6);
    const lines = textOf(files, first).trimEnd().split("\n");
    change(lines);
    put(files, first, `${lines.join("\n")}\n`);
    return files;
  };
  expectBroken(
    edit((lines) => lines.splice(2, 1)),
    "missing",
    3,
  );
  expectBroken(
    edit((lines) => lines.splice(0, 1)),
    "missing",
    1,
  );
  expectBroken(
    edit((lines) => lines.splice(1, 0, ...lines.splice(3, 1))),
    "reordered",
    2,
  );
  expectBroken(
    edit((lines) => lines.splice(4, 0, lines[1] ?? "")),
    "reordered",
    2,
  );
});

test("a tail that was cut is missing, and stays missing when the trail goes on", () => {
  const { files } = written(6);
  put(files, first, `${textOf(files, first).split("\n").slice(0, 4).join("\n")}\n`);
  expectBroken(files, "truncated", 5);
  const trail = trailOn(files);
  assert.deepEqual(trail.resumption, { tornBytes: 0, linesLost: 2, isHeadMissing: false });
  trail.append({ kind: "test.happened" });
  expectBroken(files, "missing", 5);
});

test("a whole file that is missing is named by its first line", () => {
  const { files } = written(50, { fileBytesMax: 2_000 });
  const second = textOf(files, "audit-000002.jsonl");
  files.files.delete("audit-000002.jsonl");
  expectBroken(files, "missing", JSON.parse(second.split("\n")[0] ?? "").seq);
});

test("a trail without its head may be cut, and so does not count as intact", () => {
  const { files } = written(3);
  files.files.delete("head");
  expectBroken(files, "no-head", 3);
  const trail = trailOn(files);
  assert.equal(trail.resumption.isHeadMissing, true);
  // Gone on with, it is what it is, until somebody who has seen that keeps a line behind it.
  expectBroken(files, "no-head", 3);
  const seen = trail.append({ kind: "test.happened" });
  expectBroken(files, "no-head", 3, { seq: 3, hash: (parsed(files, 3) ?? seen).hash });
  const verdict = verdictOf(files, seen);
  assert.ok(verdict.kind === "intact" && verdict.resumptions.length === 1, JSON.stringify(verdict));
});

test("a trail whose head and last file are gone, and one with an empty file behind it, lost its head", () => {
  const { files } = written(20, { fileBytesMax: 900 });
  files.files.delete("head");
  put(files, "audit-000999.jsonl", "");
  assert.equal(trailOn(files).resumption.isHeadMissing, true);
});

/** Takes the first `count` lines out, and writes the head as if they had been too old. */
function withoutFirst(files: ReturnType<typeof memoryFiles>, count: number): void {
  for (const name of trailNames(files.list())) {
    const lines = textOf(files, name).split("\n");
    const kept = lines.filter((line) => line === "" || JSON.parse(line).seq > count);
    if (kept.length === 1) files.files.delete(name);
    else put(files, name, kept.join("\n"));
  }
  const head = parseHead(files.files.get("head") ?? new Uint8Array(0)) ?? assert.fail();
  const keptAfter = { seq: count, hash: parsed(files, count + 1)?.previous ?? head.last.hash };
  files.files.set("head", printHead({ ...head, keptAfter }));
}

const parsed = (files: ReturnType<typeof memoryFiles>, seq: number) =>
  trailNames(files.list())
    .flatMap((name) => textOf(files, name).split("\n"))
    .map(parseRecord)
    .find((record) => record?.seq === seq);

test("lines that are missing at the beginning are missing, whatever the head says", () => {
  for (const count of [1, 2, 8, 30, 39]) {
    const { files, trail } = written(40, { fileBytesMax: 1_500 });
    withoutFirst(files, count);
    expectBroken(files, "missing", 1, trail.end);
    expectBroken(files, "missing", 1);
  }
  const { files, trail } = written(40);
  withoutFirst(files, 40);
  expectBroken(files, "missing", 1, trail.end);
  const { files: headless } = written(40, { fileBytesMax: 1_500 });
  headless.files.delete(first);
  headless.files.delete("head");
  trailOn(headless);
  expectBroken(headless, "missing", 1);
});

test("more than was too old is missing, and where the trail says that itself, so does the verdict", () => {
  const { files, trail } = written(60, { fileBytesMax: 1_500, filesMax: 3 });
  const { removed, first: begin } = expectIntact(files);
  assert.ok(begin !== undefined && removed !== undefined && removed.seq > begin.seq);
  assert.equal(begin.seq, removed.throughSeq + 1);
  withoutFirst(files, begin.seq);
  expectBroken(files, "missing", begin.seq, trail.end);
});

test("of a line that is not kept any more nothing is vouched for, and the last of them is linked to what is", () => {
  const { files } = written(60, { fileBytesMax: 1_500, filesMax: 3 });
  const { files: all } = written(60, { fileBytesMax: 1_500 });
  const { first: begin = assert.fail() } = expectIntact(files);
  const ofLine = (seq: number) => ({ seq, hash: parsed(files, seq)?.hash ?? parsed(all, seq)?.hash ?? "" });
  expectBroken(files, "not-kept", begin.seq - 2, ofLine(begin.seq - 2));
  expectBroken(files, "not-kept", 1, ofLine(1));
  const before = { seq: begin.seq - 1, hash: parsed(files, begin.seq)?.previous ?? "" };
  assert.equal(verdictOf(files, before).kind, "intact");
  expectBroken(files, "not-expected", before.seq, { ...before, hash: "0".repeat(64) });
});

test("the line that the head names is that line, also when others were added behind it", () => {
  const { files } = written(3);
  const forged = written(2);
  forged.trail.append({ kind: "test.forged" });
  forged.trail.append({ kind: "test.forged" });
  put(files, first, textOf(forged.files, first));
  expectBroken(files, "changed", 3);
});

test("a trail that somebody wrote anew is found by a line that was kept elsewhere", () => {
  const { files, trail } = written(3);
  const kept = trail.end;
  assert.equal(verdictOf(files, kept).kind, "intact");
  const forged = written(2);
  forged.trail.append({ kind: "test.forged" });
  expectBroken(forged.files, "not-expected", 3, kept);
  expectBroken(written(2).files, "not-expected", 3, kept);
});

test("lines behind the head that no writer counted are not taken for a torn write", () => {
  const { files, trail } = written(3);
  const head = Uint8Array.from(files.files.get("head") ?? []);
  for (let n = 0; n < 2; n++) trail.append({ kind: "test.forged" });
  files.files.set("head", head);
  expectBroken(files, "changed", 5);
});

test("killed at any byte of a write, the next writer goes on, and what was acknowledged is there", () => {
  const options = { fileBytesMax: 900, filesMax: 2 };
  let wasWhole = false;
  for (let budget = 0; !wasWhole; budget++) {
    assert.ok(budget < 30_000);
    const dying = memoryFiles(new Map(), { budget, code: "KILLED" });
    let acknowledged: ChainEnd = { seq: 0, hash: "" };
    try {
      const trail = trailOn(dying, options);
      for (let n = 1; n <= 12; n++) {
        const { seq, hash } = trail.append({ kind: "test.happened", n });
        acknowledged = { seq, hash };
      }
      wasWhole = true;
    } catch (error) {
      assert.ok(isRemoraError(error, "manager/audit-unwritable"), String(error));
    }
    const files = memoryFiles(dying.files);
    // Before its first head is whole there is no trail yet, and nothing in it.
    const isBegun = parseHead(files.files.get(headName) ?? new Uint8Array(0)) !== undefined;
    const found = isBegun ? "intact" : "broken";
    assert.equal(verdictOf(files, acknowledged).kind, found, `killed after ${budget} bytes`);
    assert.ok(isBegun || acknowledged.seq === 0);
    const trail = trailOn(files, options);
    assert.equal(trail.resumption.linesLost, 0);
    trail.append({ kind: "test.happened" });
    expectIntact(files);
  }
});

test("on a full disk nothing is acknowledged, and when there is room again the trail is whole", () => {
  for (let budget = 0; budget < 1_200; budget += 7) {
    const files = memoryFiles();
    const trail = trailOn(files);
    trail.append({ kind: "test.happened" });
    files.state.budget = budget;
    files.state.code = "ENOSPC";
    let acknowledged = 1;
    for (let n = 0; n < 4; n++) {
      try {
        trail.append({ kind: "test.happened", n });
        acknowledged++;
      } catch (error) {
        assert.ok(isRemoraError(error, "manager/audit-unwritable"), String(error));
      }
    }
    files.state.budget = Number.POSITIVE_INFINITY;
    trail.append({ kind: "test.happened" });
    expectIntact(files, acknowledged + 1);
  }
});

test("an event that is too long is shortened where it is longest, says so, and is found by the next writer", async () => {
  const files = memoryFiles();
  const told: unknown[] = [];
  const trail = trailOn(files);
  trail.onAppend(({ event }) => void told.push(event));
  const digest = "d".repeat(64);
  const facts = { plugin: "geofence", version: "1.0.0", digest, publisherTo: "Ada".repeat(60) };
  trail.append({ kind: "test.long", ...facts, text: "x".repeat(auditEventBytesMax + 2_000) });
  // Three bytes each, and fewer letters than a line has bytes.
  trail.append({ kind: "test.list", ...facts, items: Array(20).fill("\u4e2d".repeat(800)), depth: { n: 1 } });
  const end = trail.append({ kind: "test.one", ...facts, items: ["x".repeat(100_000)] });
  const lines = (await readTrail("trail", { recordsMax: 9 }, files)).map(({ event }) => event).reverse();
  assert.deepEqual(lines, told);
  const [long, list, one] = lines;
  for (const event of lines) {
    assert.ok(Buffer.byteLength(JSON.stringify(event)) <= auditEventBytesMax);
    const { plugin, version, publisherTo } = event;
    assert.deepEqual({ plugin, version, digest: event.digest, publisherTo }, facts);
    assert.equal(event.isShortened, true);
  }
  assert.match(String(long?.text), /^x{9000,}…$/);
  assert.deepEqual(list?.items, Array(5).fill("\u4e2d".repeat(800)));
  assert.deepEqual(list?.depth, { n: 1 });
  assert.match(String(one?.items), /^x{12000,}…$/);
  expectIntact(files, 3);
  const next = trailOn(files);
  assert.deepEqual(next.end, { seq: 3, hash: end.hash });
  assert.equal(next.resumption.linesLost, 0);
});

test("whatever an event consists of, it is written in one line that fits", () => {
  const letter = fc.constantFrom("\\", '"', "\u202e", "\u4e2d", "\ud83d", "a");
  const text = fc.tuple(letter, fc.nat(9_000)).map(([one, times]) => one.repeat(times));
  const value = fc.oneof(text, fc.array(text, { maxLength: 20 }), fc.integer(), fc.object({ maxDepth: 2 }));
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 9 }), value, { maxKeys: 40 }), (facts) => {
      const files = memoryFiles();
      const plain = JSON.parse(JSON.stringify(facts)) as Record<string, Json>;
      const { event } = trailOn(files).append({ ...plain, kind: "test.any" });
      assert.ok(Buffer.byteLength(JSON.stringify(event)) <= auditEventBytesMax + 1_024);
      assert.equal(event.kind, "test.any");
      expectIntact(files, 1);
      assert.equal(trailOn(files).end.seq, 1);
    }),
    { numRuns: 60 },
  );
});

test("a clock that jumps back changes nothing", () => {
  const files = memoryFiles();
  let now = nowMs();
  const trail = trailOn(files, { nowMs: () => now });
  trail.append({ kind: "test.happened" });
  now -= 86_400_000;
  trail.append({ kind: "test.happened" });
  expectIntact(files, 2);
});

test("what passes the gate is a line, and a plugin that asks without end does not fill the disk", async () => {
  const { files, trail } = written(0);
  const sink = gateAudit(trail, { linesPerSecondMax: 5 });
  const decision: Decision = {
    capability: "net.http",
    target: "https://a:443",
    answer: "denied",
    rule: "nothing",
  };
  for (let n = 0; n < 1_000; n++) sink.write("geofence", decision, nowMs());
  sink.write("geofence", decision, nowMs() + 1_000);
  expectIntact(files, 7);
  const [last, omitted] = await readTrail("trail", { recordsMax: 2 }, files);
  assert.deepEqual(last?.event, { kind: "gate.decided", plugin: "geofence", ...decision });
  assert.equal(omitted?.event.passages, 995);
});

test("a folder that cannot be written is a coded error", (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, "file"), "");
  assert.throws(
    () => new AuditTrail({ folder: join(folder, "file"), nowMs }),
    (error) => isRemoraError(error, "manager/audit-unwritable"),
  );
});

test("on the disk, only the owner may read it, and a second opening goes on", async (t) => {
  const folder = join(temporary(t), "audit");
  for (let n = 0; n < 2; n++) {
    using trail = new AuditTrail({ folder, nowMs });
    trail.append({ kind: "test.happened", n });
  }
  assert.equal((await verifyTrailFolder(folder)).kind, "intact");
  assert.equal((await readTrail(folder, { recordsMax: 9 })).length, 2);
  assert.equal(statSync(folder).mode & 0o77, 0);
  assert.equal(statSync(join(folder, first)).mode & 0o77, 0);
  assert.equal(readFileSync(join(folder, "head")).length, 1_024);
});

test("what stands in the place of a file and cannot be read is an error with a code, and not waited for", {
  skip: process.platform === "win32",
}, async (t) => {
  const folder = temporary(t);
  const file = join(folder, "audit-000001.jsonl");
  for (const [make, reason] of [
    [() => mkdirSync(file), "EISDIR"],
    [() => execFileSync("mkfifo", [file]), "it is a device or a pipe"],
    [() => symlinkSync("/dev/zero", file), "it is a device or a pipe"],
    [() => symlinkSync(file, file), "ELOOP"],
  ] as const) {
    rmSync(file, { recursive: true, force: true });
    make();
    const expected = { code: "manager/audit-unreadable", details: { where: file, reason } };
    await assert.rejects(verifyTrailFolder(folder), expected);
    await assert.rejects(readTrail(folder, { recordsMax: 9 }), expected);
    assert.throws(() => new AuditTrail({ folder, nowMs }), { code: "manager/audit-unreadable" });
  }
  const missing = await verifyTrailFolder(join(folder, "missing"));
  assert.ok(missing.kind === "broken" && missing.problem === "no-head", "nothing stands in the way there");
});

test("a trail that was closed writes nothing more, whoever has opened it since", async (t) => {
  const folder = join(temporary(t), "audit");
  const closed = new AuditTrail({ folder, nowMs });
  closed.append({ kind: "test.happened", n: 1 });
  closed.close();
  using trail = new AuditTrail({ folder, nowMs });
  trail.append({ kind: "test.happened", n: 2 });
  for (const act of [() => closed.append({ kind: "test.happened", n: 3 }), () => closed.sync()]) {
    assert.throws(act, (error) => isRemoraError(error, "manager/audit-unwritable"));
  }
  trail.append({ kind: "test.happened", n: 4 });
  assert.deepEqual(
    (await readTrail(folder, { recordsMax: 9 })).map(({ event }) => event.n),
    [4, 2, 1],
  );
  assert.equal((await verifyTrailFolder(folder)).kind, "intact");
});

/** What somebody does to the folder of a trail that has it open. */
const takings: Readonly<Record<string, (folder: string) => void>> = {
  "its files are removed": (folder) => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  },
  "the folder is removed": (folder) => rmSync(folder, { recursive: true }),
  "the folder is moved away": (folder) => renameSync(folder, `${folder}.moved`),
  "the file that is written to is removed": (folder) => rmSync(join(folder, first)),
  "a trail written anew is put in its place": (folder) => {
    using forged = new AuditTrail({ folder: `${folder}.forged`, nowMs });
    for (let n = 0; n < 20; n++) forged.append({ kind: "test.forged" });
    renameSync(folder, `${folder}.moved`);
    renameSync(`${folder}.forged`, folder);
  },
};

for (const [what, take] of Object.entries(takings)) {
  test(`a writer goes on when ${what}, and says so, and what is gone stays missing`, async (t) => {
    const folder = join(temporary(t), "audit");
    using trail = new AuditTrail({ folder, nowMs });
    for (let n = 1; n <= 5; n++) trail.append({ kind: "test.happened", n });
    const kept = trail.end;
    assert.equal((await trail.verify(kept)).kind, "intact");
    take(folder);
    assert.equal((await trail.verify()).kind, "broken");
    const { seq } = trail.append({ kind: "test.happened", n: 6 });
    assert.equal(seq, 7);
    const [last, resumed] = await readTrail(folder, { recordsMax: 2 });
    assert.equal(last?.event.n, 6);
    assert.deepEqual([resumed?.event.kind, resumed?.event.wasOpen], ["audit.resumed", true]);
    for (const expected of [undefined, kept, trail.end]) {
      assert.equal((await trail.verify(expected)).kind, "broken");
      assert.equal((await verifyTrailFolder(folder, expected)).kind, "broken");
    }
  });
}

test("a writer whose head alone is removed writes it again, and nothing is missing", async (t) => {
  const folder = join(temporary(t), "audit");
  using trail = new AuditTrail({ folder, nowMs });
  trail.append({ kind: "test.happened", n: 1 });
  rmSync(join(folder, headName));
  assert.equal((await trail.verify()).kind, "broken");
  trail.append({ kind: "test.happened", n: 2 });
  const verdict = await trail.verify();
  assert.ok(verdict.kind === "intact" && verdict.lines === 3, JSON.stringify(verdict));
  assert.equal((await verifyTrailFolder(folder)).kind, "intact");
});

test("where no other file can be made, nothing is acknowledged until one can", async (t) => {
  const folder = join(temporary(t), "audit");
  using trail = new AuditTrail({ folder, nowMs });
  trail.append({ kind: "test.happened", n: 1 });
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "");
  for (let n = 0; n < 2; n++) {
    assert.throws(
      () => trail.append({ kind: "test.happened" }),
      (error) => isRemoraError(error, "manager/audit-unwritable"),
    );
  }
  rmSync(folder);
  assert.equal(trail.append({ kind: "test.happened", n: 2 }).seq, 3);
});

test("its writer knows a trail that was put in the place of its own, which everybody else finds intact", async (t) => {
  const folder = join(temporary(t), "audit");
  using trail = new AuditTrail({ folder, nowMs });
  for (let n = 1; n <= 5; n++) trail.append({ kind: "test.happened", n });
  takings["a trail written anew is put in its place"]?.(folder);
  assert.equal((await verifyTrailFolder(folder)).kind, "intact");
  const verdict = await trail.verify();
  assert.ok(verdict.kind === "broken" && verdict.problem === "changed", JSON.stringify(verdict));
});

test("after a hundred times kill -9 while lines are written, every acknowledged line is there", async (t) => {
  const parent = temporary(t);
  const lane = async (folder: string) => {
    for (let run = 0; run < 25; run++) {
      const acknowledged = await killedWriter(t, folder, run % 7);
      const verdict = await verifyTrailFolder(folder, acknowledged);
      assert.ok(verdict.kind === "intact", JSON.stringify(verdict));
    }
  };
  await Promise.all(["a", "b", "c", "d"].map((name) => lane(join(parent, name))));
});

const writer = fileURLToPath(new URL("./testing/endless-writer.ts", import.meta.url));

/** Killed when it has said `said` more times what it wrote; the last of that. */
async function killedWriter(t: TestContext, folder: string, said: number): Promise<ChainEnd> {
  const child: ChildProcess = spawn(process.execPath, [writer, folder], {
    stdio: ["ignore", "pipe", "inherit"],
    // Reading and stripping our own files is what takes most of its life; the first one keeps it for the others.
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "../compiled") },
  });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  let chunks = 0;
  child.stdout?.setEncoding("utf8").on("data", (part) => {
    text += part;
    if (chunks++ === said) child.kill("SIGKILL");
  });
  await once(child, "close");
  const [seq = "0", hash = ""] = (text.split("\n").at(-2) ?? "").split(" ");
  return { seq: Number(seq), hash };
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-audit-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
