import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedLog, type LogLine } from "./log.ts";

function logWith(bounds: { logLineBytesMax?: number; logLinesPerSecondMax?: number } = {}) {
  const lines: LogLine[] = [];
  const time = { nowMs: 0 };
  const log = new BoundedLog(
    "p",
    { write: (line) => void lines.push(line) },
    { logLineBytesMax: 100, logLinesPerSecondMax: 5, ...bounds },
    () => time.nowMs,
  );
  return { log, lines, time, texts: () => lines.map((line) => line.text) };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("a stream becomes lines, however it is cut into writes", () => {
  const { log, texts, lines } = logWith();
  const stream = log.stream("stdout");
  for (const part of ["he", "llo\nwor", "ld\r\n", "\n", "end"]) stream.write(bytes(part));
  assert.deepEqual(texts(), ["hello", "world", ""]);
  stream.flush();
  assert.deepEqual(texts(), ["hello", "world", "", "end"]);
  assert.deepEqual(lines[0], { plugin: "p", level: "info", from: "stdout", text: "hello" });
});

test("a line that never ends takes no more memory than a line may have", () => {
  const { log, texts } = logWith({ logLineBytesMax: 8 });
  const stream = log.stream("stderr");
  for (let i = 0; i < 10_000; i++) stream.write(bytes("abcdef"));
  stream.write(bytes("\nnext\n"));
  assert.deepEqual(texts(), ["abcdefab…", "next"]);
});

test("escape sequences, line breaks and direction marks lose their power", () => {
  const { log, texts } = logWith();
  log.stream("stdout").write(bytes("\u001b]0;owned\u0007\u001b[31mred\u009b2J\u2028x\u202e\n"));
  assert.equal(texts().length, 1);
  assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}]/u.test(texts()[0] ?? ""));
});

test("a line has no more bytes than it may, made harmless too", () => {
  const { log, texts } = logWith();
  for (const text of ["\u0001".repeat(100), "\u{e0001}".repeat(100), "日".repeat(100)])
    log.line("log", "info", text);
  log.stream("stdout").write(bytes(`${"\u0001".repeat(90)}\n`));
  for (const text of texts()) {
    assert.ok(text.endsWith("…"), text);
    assert.ok(bytes(text.slice(0, -1)).length <= 100, text);
  }
  log.line("log", "info", "a".repeat(100));
  assert.equal(texts().at(-1), "a".repeat(100));
});

test("bytes that are not UTF-8 do not stop the log", () => {
  const { log, texts } = logWith();
  log.stream("stdout").write(new Uint8Array([0xff, 0xfe, 0x41, 0x0a]));
  assert.deepEqual(texts(), ["\ufffd\ufffdA"]);
});

test("a flood is cut to so many lines a second, and the log says how many are missing", () => {
  const { log, texts, time } = logWith();
  for (let i = 0; i < 1_000; i++) log.line("log", "info", `line ${i}`);
  assert.equal(texts().length, 5);
  time.nowMs = 1_000;
  log.line("log", "info", "after");
  assert.deepEqual(texts().slice(5), ["995 lines omitted: more than 5 in a second", "after"]);
  for (let i = 0; i < 10; i++) log.line("log", "info", "again");
  log.close();
  assert.equal(texts().at(-1), "6 lines omitted: more than 5 in a second");
});

test("a write of a million line ends costs a look at each line that is written, and none at the others", () => {
  let looks = 0;
  const lines: string[] = [];
  const time = { nowMs: 0 };
  const bounds = { logLineBytesMax: 100, logLinesPerSecondMax: 5 };
  const log = new BoundedLog("p", { write: ({ text }) => void lines.push(text) }, bounds, () => {
    looks++;
    return time.nowMs;
  });
  const stream = log.stream("stdout");
  stream.write(bytes("begun"));
  stream.write(new Uint8Array(1_000_000).fill(10));
  stream.write(bytes("lost\nkept"));
  assert.ok(looks < 30, `the clock was looked at ${looks} times`);
  time.nowMs = 1_000;
  stream.write(bytes(" and ended\n"));
  assert.deepEqual(lines, [
    ...["begun", "", "", "", ""],
    "999996 lines omitted: more than 5 in a second",
    "kept and ended",
  ]);
});
