/**
 * How long one operation of a guest on the disk holds the host, through preview 1 with all that stands before it: the largest
 * that it can ask for of each kind. Milliseconds, the median and the longest of some rounds; the disk's cache is warm, as a
 * guest's is that has just written what it asks for. What a disk does that has to be read, no figure can say.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditLog, sandboxImports } from "remora/sandbox";
import type { Figures } from "../main.ts";
import { median, rounded } from "../measure.ts";

const rounds = 9;
const megabyte = 1024 * 1024;

/** As preview 1 numbers them. */
const everyRight = (1n << 29n) - 1n;
const [creat, directory] = [1, 2];

/** Where things are in the guest's memory. */
const at = { path: 0, target: 8_192, iovec: 16_384, result: 16_400, buffer: 65_536 };

const filesMax = 20_000;
const listedCount = 16_000;
const looksCount = 1_024;
const depth = 250;

export async function diskFigures(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "remora-bench-"));
  mkdirSync(join(folder, "own"));
  const guest = new Guest(folder);
  try {
    return {
      ...moving(guest),
      ...listing(guest),
      ...walking(guest),
      ...(await removing(guest)),
      ...keeping(guest),
    };
  } finally {
    guest.close();
    rmSync(folder, { recursive: true });
  }
}

/** A read and a write of 4 MiB. */
function moving(guest: Guest): Figures {
  const file = guest.open("moved", creat);
  const writes = each(() => guest.call("fd_pwrite", file, at.iovec, 1, 0n, at.result));
  const reads = each(() => guest.call("fd_pread", file, at.iovec, 1, 0n, at.result));
  guest.call("fd_close", file);
  guest.remove("moved");
  return { ...shown("diskWrite4Mb", writes), ...shown("diskRead4Mb", reads) };
}

/** A folder of names: all of them, and the numbers of as many files as one call looks at. */
function listing(guest: Guest): Figures {
  guest.makeFolder("list");
  for (let index = 0; index < listedCount; index++) {
    guest.call("fd_close", guest.open(`list/${index}`, creat));
  }
  const folder = guest.open("list", directory);
  const listings = each(() => guest.call("fd_readdir", folder, at.buffer, 24, 0n, at.result));
  const looks = each(() => guest.call("fd_readdir", folder, at.buffer, looksCount * 28, 1n, at.result));
  guest.call("fd_close", folder);
  return { ...shown("diskList16000", listings), ...shown("diskLook1000", looks) };
}

/** A path as deep as one may be, and a rename, which walks two. */
function walking(guest: Guest): Figures {
  const folders = Array.from({ length: depth }, () => "d");
  for (let index = 1; index <= depth; index++) guest.makeFolder(folders.slice(0, index).join("/"));
  const deep = folders.join("/");
  guest.call("fd_close", guest.open(`${deep}/a`, creat));
  const looks = each(() => guest.call("path_filestat_get", 3, 0, ...guest.path(`${deep}/a`), at.buffer));
  let [from, to] = ["a", "b"];
  const renames = each(() => {
    guest.call("path_rename", 3, ...guest.path(`${deep}/${from}`), 3, ...guest.target(`${deep}/${to}`));
    [from, to] = [to, from];
  });
  return { ...shown("diskPath250", looks), ...shown("diskRename250", renames) };
}

/** A file of as much as a plugin may have: removed, replaced by another, and cut. What is freed is freed before the next. */
async function removing(guest: Guest): Promise<Figures> {
  const removes: number[] = [];
  const replaces: number[] = [];
  const cuts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    guest.call("fd_close", guest.write("large", 64));
    removes.push(timed(() => guest.remove("large")));
    await freed();
    guest.call("fd_close", guest.write("large", 60));
    guest.call("fd_close", guest.open("small", creat));
    replaces.push(
      timed(() => guest.call("path_rename", 3, ...guest.path("small"), 3, ...guest.target("large"))),
    );
    await freed();
    const file = guest.write("large", 64);
    cuts.push(timed(() => guest.call("fd_filestat_set_size", file, 0n)));
    guest.call("fd_close", file);
  }
  return {
    ...shown("diskRemove64Mb", removes),
    ...shown("diskReplace60Mb", replaces),
    ...shown("diskCut64Mb", cuts),
  };
}

/** In the background. */
const freed = () => new Promise((resolve) => setTimeout(resolve, 100));

/** A value of 1 MiB: every fourth or so finds the log full, and writes it into the file. */
function keeping(guest: Guest): Figures {
  const value = new Uint8Array(megabyte).fill(7);
  const sets = Array.from({ length: 4 * rounds }, (_, index) =>
    timed(() => guest.bucket.set(`${index % 8}`, value)),
  );
  return shown("keyValueSet1Mb", sets);
}

interface Bucket {
  set(key: string, value: Uint8Array): void;
}

/** What a guest has, without the guest: its memory, and the functions that it imports. */
class Guest {
  readonly bucket: Bucket;
  readonly #bytes = new Uint8Array(at.buffer + 4 * megabyte);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #functions: Readonly<Record<string, (...args: (number | bigint)[]) => unknown>>;
  readonly #sandbox: ReturnType<typeof sandboxImports>;

  constructor(folder: string) {
    this.#sandbox = sandboxImports({
      plugin: "bench",
      grants: [{ capability: "wasi.base" }, { capability: "fs.private" }, { capability: "kv.store" }],
      audit: auditLog(),
      log: { write: () => {} },
      nowMs: Date.now,
      privateFolder: join(folder, "own"),
      keyValueFile: join(folder, "keys"),
      limits: { filesMax },
    });
    const instance = this.#sandbox.forInstance({
      memory: { view: () => this.#bytes },
      abort: (error) => {
        throw error;
      },
    });
    this.#functions = instance.core("wasi_snapshot_preview1") ?? {};
    // As the interface has it.
    const store = instance.component("wasi:keyvalue/store@0.2.0-draft2") as { open(name: string): Bucket };
    this.bucket = store.open("");
    this.#view.setUint32(at.iovec, at.buffer, true);
    this.#view.setUint32(at.iovec + 4, 4 * megabyte, true);
  }

  /** @throws Error for any errno but success: then the figure would be of something else. */
  call(name: string, ...args: (number | bigint)[]): void {
    const errno = this.#functions[name]?.(...args);
    if (errno !== 0) throw new Error(`${name} gives ${String(errno)}`);
  }

  path(text: string): [pointer: number, length: number] {
    return this.#text(text, at.path);
  }

  target(text: string): [pointer: number, length: number] {
    return this.#text(text, at.target);
  }

  open(path: string, how: number): number {
    const rights = how === directory ? 1n << 14n : everyRight;
    this.call("path_open", 3, 0, ...this.path(path), how, rights, everyRight, 0, at.result);
    return this.#view.getUint32(at.result, true);
  }

  makeFolder(path: string): void {
    this.call("path_create_directory", 3, ...this.path(path));
  }

  remove(path: string): void {
    this.call("path_unlink_file", 3, ...this.path(path));
  }

  /** A file of so many MiB, open. */
  write(path: string, megabytes: number): number {
    const file = this.open(path, creat);
    for (let index = 0; index < megabytes / 4; index++) {
      this.call("fd_pwrite", file, at.iovec, 1, BigInt(index * 4 * megabyte), at.result);
    }
    return file;
  }

  close(): void {
    this.#sandbox.close();
  }

  #text(text: string, pointer: number): [number, number] {
    const encoded = new TextEncoder().encode(text);
    this.#bytes.set(encoded, pointer);
    return [pointer, encoded.length];
  }
}

function each(act: () => void): number[] {
  return Array.from({ length: rounds }, () => timed(act));
}

function timed(act: () => void): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}

function shown(name: string, timesMs: readonly number[]): Figures {
  return { [`${name}Ms`]: rounded(median(timesMs)), [`${name}MaxMs`]: rounded(Math.max(...timesMs)) };
}
