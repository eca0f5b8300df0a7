/** A machine for tests: what was written is text, time moves when the test says so, and so do signals. */

import { resolve } from "node:path";
import type { Output, System } from "../system.ts";

export interface FakeSystem extends System {
  readonly out: FakeOutput;
  readonly err: FakeOutput;
  /** Files by path, those that were written too. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Those that only their owner may read. */
  readonly secrets: ReadonlySet<string>;
  /** Runs what is due within `ms`, in order. */
  advance(ms: number): void;
  /** As somebody does who changes a watched file. */
  touch(): Promise<void>;
  /** As the operator's Ctrl-C does. */
  interrupt(): void;
  /** Timers and signal listeners that are still there. */
  readonly pending: number;
}

export interface FakeOutput extends Output {
  readonly text: string;
}

export interface FakeOptions {
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Milliseconds since 1970. Default: 2026-11-21, noon. */
  readonly nowMs?: number;
  /** Writing to these paths fails with this code of the file system. */
  readonly writeErrors?: Readonly<Record<string, string>>;
  readonly pluginFolder?: string;
  /** Folders that are not there until they are made. Default: none. */
  readonly missingFolders?: readonly string[];
  /** What somebody at the terminal answers, one after the other. */
  readonly answers?: readonly string[];
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export function fakeSystem(options: FakeOptions = {}): FakeSystem {
  const files = new Map(Object.entries(options.files ?? {}));
  const secrets = new Set<string>();
  const missing = new Set(options.missingFolders);
  const watched = new Set<() => Promise<void>>();
  const answers = [...(options.answers ?? [])];
  const { isTerminal = false, columns = 80, rows = 24 } = options;
  const timers = new Set<{ periodMs: number; dueMs: number; callback: () => void }>();
  const listeners = new Set<() => void>();
  let nowMs = 0;
  return {
    out: fakeOutput({ isTerminal, columns, rows }),
    err: fakeOutput({ isTerminal, columns, rows }),
    readFile: async (path, bytesMax) => {
      const bytes = files.get(path);
      if (bytes === undefined) {
        const code = "ENOENT";
        return { kind: "refused", code, cause: Object.assign(new Error(`no ${path}`), { code }) };
      }
      return bytes.length > bytesMax ? { kind: "too-large" } : { kind: "whole", bytes };
    },
    targetOf: async (path) => resolve(path),
    listFiles: async (folder) => {
      const inside = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return inside.length === 0 ? undefined : inside.map((path) => path.slice(folder.length + 1));
    },
    writeFile: async (path, bytes, how) => {
      const code = files.has(path) && how !== "replace" ? "EEXIST" : options.writeErrors?.[path];
      if (code !== undefined) throw Object.assign(new Error(`${code} ${path}`), { code });
      files.set(path, bytes.slice());
      if (how === "create-secret") secrets.add(path);
    },
    removeFile: async (path) => void files.delete(path),
    alone: (_path, work) => work(),
    makeFolder: async (path) => void missing.delete(path),
    configFolder: "config",
    pluginFolder: options.pluginFolder ?? "plugins",
    hostPackages: [],
    hasFolder: async (path) => !missing.has(path),
    ask: async () => answers.shift(),
    watch: async (_path, take) => {
      watched.add(take);
      return () => void watched.delete(take);
    },
    touch: async () => {
      for (const take of watched) await take();
    },
    nowMs: () => options.nowMs ?? Date.parse("2026-11-21T12:00:00Z"),
    files,
    secrets,
    every: (periodMs, callback) => {
      const timer = { periodMs, dueMs: nowMs + periodMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    onStop: (callback) => {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
    advance: (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (due === undefined) break;
        nowMs = due.dueMs;
        due.dueMs += due.periodMs;
        due.callback();
      }
      nowMs = endMs;
    },
    interrupt: () => {
      for (const listener of listeners) listener();
    },
    get pending() {
      return timers.size + listeners.size;
    },
  };
}

function fakeOutput(shape: Omit<Output, "write" | "failure">): FakeOutput {
  let text = "";
  return {
    ...shape,
    write: (more) => {
      text += more;
    },
    failure: async () => undefined,
    get text() {
      return text;
    },
  };
}
