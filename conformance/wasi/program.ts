/**
 * One WASI program in the sandbox: its folder, arguments and variables as grants, its exit code and output as the
 * outcome. It runs through the same gate, limits and machine as any plugin; nothing is opened up for it.
 */

import { ComponentError, isRemoraError, openArtifact, Plugin } from "remora";
import { defaultLimits } from "remora/engine";
import type { Grant } from "remora/policy";
import {
  auditLog,
  blockedWaiting,
  type LogLine,
  type SandboxOptions,
  sandboxImports,
  suspendedWaiting,
} from "remora/sandbox";

export interface ProgramOptions {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Behind the program's own name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What the program sees as "/": a folder of this machine, or one of its own in memory. Default: nothing. */
  readonly root?: { readonly folder: string } | "own";
  readonly standardInput?: SandboxOptions["standardInput"];
  /** What is given beside files, variables, clock and randomness. */
  readonly grants?: readonly Grant[];
  readonly network?: SandboxOptions["network"];
  /** How it waits: on its thread, as it may in a process of its own; or put aside, while the thread goes on. */
  readonly waiting: "blocked" | "suspended";
}

export interface ProgramOutcome {
  /** As the program ended: its own code, or the code of the error that ended it. */
  readonly exit: number | string;
  /** Lines of standard output, without their ends. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** A debug build of a test program takes more fuel than a call of a plugin. */
const limits = { ...defaultLimits, fuelMax: 10_000_000_000, deadlineMs: 60_000 };

/** Runs a core module's `_start`, or a component's `wasi:cli/run`, to its end. */
export async function runProgram(options: ProgramOptions): Promise<ProgramOutcome> {
  const { name } = options;
  const grants = grantsFor(options);
  const lines: LogLine[] = [];
  using sandbox = sandboxImports({
    plugin: name,
    grants,
    audit: auditLog(),
    log: { write: (line) => void lines.push(line) },
    nowMs: Date.now,
    limits: { logLinesPerSecondMax: 10_000 },
    arguments: [name, ...options.arguments],
    environment: options.environment,
    ...(typeof options.root === "object" && { folders: { "/": options.root.folder } }),
    ...(options.standardInput !== undefined && { standardInput: options.standardInput }),
    ...(options.network !== undefined && { network: options.network }),
    waiting: options.waiting === "blocked" ? blockedWaiting : suspendedWaiting,
  });
  let exit: number | string = 0;
  try {
    using plugin = new Plugin({
      id: name,
      artifact: openArtifact(options.bytes, { plugin: name }),
      limits,
      hostImports: {},
      sandbox,
      bind: (instance) => (instance.kind === "module" ? instance.exports._start : runOf(instance.exports)),
    });
    // Where nothing waits there is nothing to wait for: the call gives no promise, or one that is settled.
    await plugin.callAsync((start) => {
      if (start === undefined) throw new TypeError(`${name} exports neither _start nor wasi:cli/run`);
      return start();
    }, undefined);
  } catch (error) {
    exit = exitOf(error);
  }
  sandbox.close(); // so that output without a line end is in the log
  const linesOf = (from: LogLine["from"]) =>
    lines.filter((line) => line.from === from).map((line) => line.text);
  return { exit, stdout: linesOf("stdout"), stderr: linesOf("stderr") };
}

function grantsFor({ root, environment, grants: more = [] }: ProgramOptions): Grant[] {
  const grants: Grant[] = [
    { capability: "wasi.base" },
    { capability: "clock.read" },
    { capability: "random.read" },
    ...more,
  ];
  const names = Object.keys(environment);
  if (names.length > 0) grants.push({ capability: "env.read", names });
  if (root === "own") grants.push({ capability: "fs.private" });
  else if (root !== undefined) {
    grants.push({ capability: "fs.read", paths: ["/"] }, { capability: "fs.write", paths: ["/"] });
  }
  return grants;
}

function runOf(exports: Readonly<Record<string, unknown>>): (() => unknown) | undefined {
  const name = Object.keys(exports).find((key) => key.startsWith("wasi:cli/run@"));
  // The world wasi:cli/command exports this interface with this function.
  return name === undefined ? undefined : (exports[name] as { run(): unknown }).run;
}

function exitOf(error: unknown): number | string {
  if (error instanceof ComponentError) return 1; // wasi:cli/run returned its error half, which has no number
  if (!isRemoraError(error)) throw error;
  const { exitCode } = error.details as { exitCode?: number }; // details of "sandbox/exited"
  return error.code === "sandbox/exited" && exitCode !== undefined ? exitCode : error.code;
}
