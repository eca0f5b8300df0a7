/**
 * What the program touches of the machine: files, the terminal, time, signals. `main.ts` passes the real one;
 * tests pass one of their own, so that no test waits or reads a real terminal.
 */

import { constants } from "node:fs";
import { open, opendir, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative, sep } from "node:path";
import { createInterface } from "node:readline/promises";
import { type Reading, readBounded } from "remora/base";
import { aloneWith } from "./alone-with.ts";
import { makeFolders } from "./make-folders.ts";
import { targetOf, writeWhole } from "./write-whole.ts";

export interface Output {
  write(text: string): void;
  /**
   * Resolves when all that was written has left: to the code of the file system when some of it could not be written. That
   * its reader has gone is no failure.
   */
  failure(): Promise<string | undefined>;
  readonly isTerminal: boolean;
  /** Characters in a line and lines on the screen; only meaningful on a terminal. */
  readonly columns: number;
  readonly rows: number;
}

export interface System {
  readonly out: Output;
  readonly err: Output;
  /**
   * The whole file, unless it is longer than that.
   *
   * @param only `file` refuses a pipe, a socket and a device, where nothing might ever come.
   */
  readFile(path: string, bytesMax: number, only?: "file"): Promise<Reading>;
  /**
   * Where a path leads, with links followed: the same for each link to a file, and for a file that is not there yet. Rejects
   * with the error of the file system.
   */
  targetOf(path: string): Promise<string>;
  /** Paths of the files below a folder, with "/"; at most so many. Undefined when it is no folder. */
  listFiles(folder: string, filesMax: number): Promise<readonly string[] | undefined>;
  /**
   * Writes a file: all of it, or what was there stays. Rejects with the error of the file system.
   *
   * @param how `replace` one that may be there, or that a link leads to, and keep who may read it; `create` one that may not (`EEXIST`); `create-secret` one that only
   *            its owner may read.
   */
  writeFile(path: string, bytes: Uint8Array, how: WriteMode): Promise<void>;
  /** Takes a file away that this program has just made. Rejects with the error of the file system. */
  removeFile(path: string): Promise<void>;
  /**
   * Does what reads a file and writes it again, while no other command does with the same file: of two, one would lose
   * what the other wrote. Rejects with the error of the file system, `EBUSY` when another one does not come to its end.
   */
  alone<Done>(path: string, work: () => Promise<Done>): Promise<Done>;
  /**
   * Makes a folder and those that it lies in, if they are not there. Rejects with the error of the file system.
   *
   * @param how `secret` folders are their owner's alone.
   */
  makeFolder(path: string, how?: "secret"): Promise<void>;
  /** Where this program keeps what belongs to its user, without / at its end; it may not be there yet. */
  readonly configFolder: string;
  /** The folder of the plugins that commands are about, unless they say otherwise. */
  readonly pluginFolder: string;
  /** Packages of hosts that are known besides the program's own. */
  readonly hostPackages: readonly string[];
  /** Whether there is such a folder. Rejects with the error of the file system where that cannot be seen. */
  hasFolder(path: string): Promise<boolean>;
  /**
   * Calls back after each change of a file or folder, when it has been quiet for a moment, until what it resolves to
   * is called. Never twice at once. Rejects with the error of the file system.
   *
   * @param onError Gets the error of the file system when changes may not be seen any more, and our own mistakes in `take`.
   */
  watch(path: string, take: () => Promise<void>, onError: (error: unknown) => void): Promise<() => void>;
  /** What somebody at the terminal answers, in one line; undefined where there is nobody. */
  ask(question: string): Promise<string | undefined>;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Calls back each `periodMs`, until what it returned is called. */
  every(periodMs: number, callback: () => void): () => void;
  /**
   * Calls back once, when the operator or the operating system asks to stop, or when whoever read the output has gone, until
   * what it returned is called.
   */
  onStop(callback: () => void): () => void;
}

export type WriteMode = "replace" | "create" | "create-secret";

/** The machine that this process runs on. */
export function realSystem(): System {
  const stops = new Set<() => void>();
  return {
    // `remora … | head` closes the pipe early: that is the reader's right, and what would go on for it is stopped. What the
    // command has begun it brings to its end, and its exit code says how that went.
    out: outputOf(process.stdout, () => {
      for (const stop of stops) stop();
    }),
    err: outputOf(process.stderr, () => {}),
    readFile,
    targetOf,
    writeFile: writeWhole,
    removeFile: (path) => rm(path),
    alone: aloneWith,
    makeFolder: (path, how) => makeFolders(path, how === "secret" ? 0o700 : 0o777),
    configFolder: configFolder(),
    pluginFolder: process.env.REMORA_FOLDER || ".remora",
    hostPackages: (process.env.REMORA_HOSTS ?? "").split(/\s+/).filter((name) => name !== ""),
    hasFolder,
    ask: askTerminal,
    watch: watchReal,
    nowMs: () => Date.now(),
    listFiles: listBounded,
    every: (periodMs, callback) => {
      const timer = setInterval(callback, periodMs);
      return () => clearInterval(timer);
    },
    onStop: (callback) => {
      const signals = ["SIGINT", "SIGTERM"] as const;
      for (const signal of signals) process.once(signal, callback);
      const stop = () => {
        stops.delete(stop);
        callback();
      };
      stops.add(stop);
      return () => {
        stops.delete(stop);
        for (const signal of signals) process.off(signal, callback);
      };
    },
  };
}

async function listBounded(folder: string, filesMax: number): Promise<readonly string[] | undefined> {
  const paths: string[] = [];
  try {
    // Links are not followed: a folder that links to itself has no end.
    for await (const entry of await opendir(folder, { recursive: true })) {
      if (paths.length >= filesMax) break;
      if (entry.isFile())
        paths.push(relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"));
    }
  } catch (error) {
    // A file, or nothing at all: reading it says which.
    if (isNoFolder(error)) return undefined;
    throw error;
  }
  return paths;
}

async function hasFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isNoFolder(error)) return false;
    throw error;
  }
}

function isNoFolder(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTDIR" || error.code === "ENOENT");
}

function readFile(path: string, bytesMax: number, only?: "file"): Promise<Reading> {
  if (only === undefined) return readBounded(() => open(path), bytesMax, "allowed");
  // To open a pipe waits for somebody who writes into it. Windows has no such flag, and no such pipes.
  const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  return readBounded(() => open(path, withoutWaiting), bytesMax);
}

const watchReal: System["watch"] = async (path, take, onError) => {
  // Loaded when it is wanted: most commands run nothing.
  const { systemClock, watchPath } = await import("remora/manager");
  return watchPath(path, { clock: systemClock, take, onError });
};

async function askTerminal(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  // On standard error: standard output may go to a program.
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
  try {
    return await Promise.race([lines.question(question), ended]);
  } finally {
    lines.close();
  }
}

/** XDG Base Directory Specification; on Windows, where programs keep what roams with their user. */
function configFolder(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  const base = process.platform === "win32" ? APPDATA : XDG_CONFIG_HOME;
  return join(base || join(homedir(), ".config"), "remora");
}

/** What runs plugins goes on when its log or its output cannot be written: a full disk is no reason to stop them. */
function outputOf(stream: NodeJS.WriteStream, whenReaderGone: () => void): Output {
  let failure: string | undefined;
  stream.on("error", ({ code = "unknown" }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") whenReaderGone();
    else failure ??= code;
  });
  return {
    write: (text) => void stream.write(text),
    failure: async () => {
      // Written in order: this is behind all others.
      await new Promise<unknown>((resolve) => stream.write("", resolve));
      return failure;
    },
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    get rows() {
      return stream.rows ?? 24;
    },
  };
}
