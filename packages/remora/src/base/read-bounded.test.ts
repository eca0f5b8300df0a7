import assert from "node:assert/strict";
import { test } from "node:test";
import { type OpenFile, readBounded } from "./read-bounded.ts";

interface Pretended {
  readonly content: string;
  readonly size?: number;
  readonly isSpecial?: boolean;
}

/** A file whose length may be another one than it says, and that gives three bytes at once. */
function pretended({ content, size = content.length, isSpecial = false }: Pretended) {
  const bytes = new TextEncoder().encode(content);
  let at = 0;
  let opened = 0;
  const file: OpenFile = {
    stat: async () => ({ size, isFile: () => !isSpecial, isDirectory: () => false }),
    read: async (into, offset, length) => {
      const piece = bytes.subarray(at, at + Math.min(3, length));
      into.set(piece, offset);
      at += piece.length;
      return { bytesRead: piece.length };
    },
    close: async () => void opened--,
  };
  const open = async () => {
    opened++;
    return file;
  };
  return { open, isOpen: () => opened !== 0 };
}

const refusal = Object.assign(new Error("refused"), { errno: -13, code: "EACCES" });

test("a file is whole, too large or none, whatever it says of its length", async () => {
  const bytes = new TextEncoder().encode("harbour");
  for (const [file, bytesMax, expected] of [
    [{ content: "harbour" }, 7, { kind: "whole", bytes }],
    [{ content: "harbour" }, 6, { kind: "too-large" }],
    [{ content: "harbour", size: 0 }, 7, { kind: "whole", bytes }],
    [{ content: "harbour", size: 0 }, 6, { kind: "too-large" }],
    [{ content: "harbour", size: 3 }, 6, { kind: "too-large" }],
    [{ content: "harbour", size: 9 }, 9, { kind: "whole", bytes }],
    [{ content: "", size: 0 }, 0, { kind: "whole", bytes: new Uint8Array() }],
    [{ content: "harbour", isSpecial: true }, 7, { kind: "special" }],
  ] as const) {
    const { open, isOpen } = pretended(file);
    assert.deepEqual(await readBounded(open, bytesMax), expected);
    assert.equal(isOpen(), false);
  }
});

test("what is no file is read where that is allowed, and no further than is allowed", async () => {
  const long = "x".repeat(100_000);
  const pipe = { content: long, size: 0, isSpecial: true };
  const found = await readBounded(pretended(pipe).open, 200_000, "allowed");
  assert.equal(found.kind === "whole" && found.bytes.length, long.length);
  assert.deepEqual(await readBounded(pretended(pipe).open, 99_999, "allowed"), { kind: "too-large" });
});

test("what the operating system refuses is a value, and our own mistakes are not", async () => {
  const opening = readBounded(() => Promise.reject(refusal), 10);
  assert.deepEqual(await opening, { kind: "refused", code: "EACCES", cause: refusal });
  const { open, isOpen } = pretended({ content: "harbour" });
  const reading = readBounded(async () => ({ ...(await open()), read: () => Promise.reject(refusal) }), 10);
  assert.deepEqual(await reading, { kind: "refused", code: "EACCES", cause: refusal });
  assert.equal(isOpen(), false);
  await assert.rejects(
    readBounded(() => Promise.reject(new TypeError("a mistake")), 10),
    TypeError,
  );
});
