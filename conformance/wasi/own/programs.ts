/**
 * Programs of our own, in Rust and C, where there is no public suite: for preview 2, and for what the standard library
 * of a language makes of both. `build/` has them built, for machines without these compilers; `npm run
 * conformance -- wasi` and the tests with tools build them anew.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Grant } from "remora/policy";
import { type ProgramOptions, runProgram } from "../program.ts";

interface OwnProgram {
  readonly source: "files.rs" | "net.rs" | "process.rs" | "time.rs" | "stdio.c";
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** In preview 2 a program tells success or failure; its number is not stable there yet. */
  readonly exit: Readonly<Record<Preview, number>>;
  readonly stdout: readonly string[];
  readonly stderr?: readonly string[];
  readonly grants?: readonly Grant[];
  /** Versions that can do what it needs. Default: both, as far as its compiler knows them. */
  readonly previews?: readonly Preview[];
}

export type Preview = "preview1" | "preview2";
export const previews: readonly Preview[] = ["preview1", "preview2"];

const rustTargets = { preview1: "wasm32-wasip1", preview2: "wasm32-wasip2" } as const;
const rustOptions = "--edition 2024 -C opt-level=z -C lto -C strip=symbols -C panic=abort -D warnings";

export const ownPrograms: readonly OwnProgram[] = [
  { source: "files.rs", exit: { preview1: 0, preview2: 0 }, stdout: ["files: all as it should be"] },
  {
    source: "process.rs",
    arguments: ["first", "with space", "ünïcode"],
    environment: { GRANTED: "a=b\nc" },
    input: "one\ntwo\n",
    exit: { preview1: 7, preview2: 1 },
    stdout: ["read: one", "read: two", "no line end"],
    stderr: ["to stderr \\u{1b}[31mred"],
  },
  {
    source: "net.rs",
    exit: { preview1: 0, preview2: 0 },
    stdout: ["net: all as it should be"],
    previews: ["preview2"],
    grants: [
      {
        capability: "net.socket",
        sockets: [
          ...["tcp listen 127.0.0.1 0", "tcp connect 127.0.0.1 *", "tcp connect granted.example 80"],
          ...["udp listen 127.0.0.1 0", "udp connect 127.0.0.1 *"],
        ],
      },
    ],
  },
  { source: "time.rs", exit: { preview1: 0, preview2: 0 }, stdout: ["time: all as it should be"] },
  {
    source: "stdio.c",
    arguments: ["argument"],
    environment: { GRANTED: "value" },
    input: "one\n",
    exit: { preview1: 3, preview2: 1 },
    stdout: ["read: one"],
    stderr: ["stdio: all as it should be"],
  },
];

export const builtFolder = join(import.meta.dirname, "build");

/** The ones that are kept built: Rust's for preview 2, where there is no public suite, and C's. */
export const builtPrograms = ownPrograms.map((program) => {
  const preview: Preview = program.source.endsWith(".c") ? "preview1" : "preview2";
  return { program, preview };
});

/** `files.preview2.wasm` */
export function builtName({ source }: OwnProgram, preview: Preview): string {
  return `${source.replace(/\..*$/, "")}.${preview}.wasm`;
}

/** For which versions a source can be built here; C has wasi-libc, which knows preview 1 alone. */
export function buildablePreviews({ source, previews: possible = previews }: OwnProgram): readonly Preview[] {
  if (source.endsWith(".c")) return hasWasiLibc() ? ["preview1"] : [];
  return possible.filter((preview) => hasRustTarget(rustTargets[preview]));
}

/** Builds one. Throws what the compiler says. */
export function buildProgram({ source }: OwnProgram, preview: Preview, target: string): void {
  const [compiler, options] = source.endsWith(".c")
    ? ["clang", "--target=wasm32-wasi -Oz -Wall -Werror -Wl,--strip-all"]
    : ["rustc", `--target ${rustTargets[preview]} ${rustOptions}`];
  const { status, stderr } = spawnSync(compiler, [...options.split(" "), "-o", target, source], {
    cwd: import.meta.dirname, // and no path of this machine in the result
  });
  if (status !== 0) throw new Error(String(stderr));
}

/** So that a program which reads has to wait. */
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 3) {
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + 3);
  }
}

const names: Readonly<Record<string, readonly string[]>> = { "granted.example": ["8.8.8.8"] };

/** Runs one, put aside while it waits. Rejects when it does not end or print as it should. */
export async function checkProgram(
  program: OwnProgram,
  options: Pick<ProgramOptions, "name" | "bytes" | "root"> & { readonly preview: Preview },
): Promise<void> {
  const { environment = {}, input = "", stdout, stderr = [] } = program;
  const { preview, ...rest } = options;
  const outcome = await runProgram({
    ...rest,
    waiting: "suspended",
    network: { resolve: async (name) => names[name] ?? [] },
    ...(program.grants !== undefined && { grants: program.grants }),
    arguments: program.arguments ?? [],
    environment,
    standardInput: inPieces(new TextEncoder().encode(input)),
  });
  assert.deepEqual(outcome, { exit: program.exit[preview], stdout, stderr }, rest.name);
}

function hasWasiLibc(): boolean {
  const probe = ["--target=wasm32-wasi", "-x", "c", "-o", "/dev/null", "-"];
  const { status } = spawnSync("clang", probe, {
    input: '#include <stdio.h>\nint main() { return puts(""); }',
  });
  return status === 0;
}

function hasRustTarget(target: string): boolean {
  const { status, stdout } = spawnSync("rustc", ["--print", "sysroot"], { encoding: "utf8" });
  return status === 0 && existsSync(join(stdout.trim(), "lib/rustlib", target));
}
