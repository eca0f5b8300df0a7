/**
 * Random valid modules: `wasm-opt --translate-to-fuzz` of npm's binaryen turns any bytes into a module that uses
 * every feature it is allowed to, never runs for long and logs what it does. It is one script with its WebAssembly
 * inside; here it is loaded once and run for each module, since its start takes longer than its work.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { type WasmModule, webAssembly } from "../packages/remora/src/engine/webassembly.ts";

/** What V8 14 does not have, or not by default. */
const withoutForV8 = [
  "shared-everything",
  "fp16",
  "custom-descriptors",
  "stack-switching",
  "strings",
  "relaxed-atomics",
  "custom-page-sizes",
  "multibyte",
  "wide-arithmetic",
  "compact-imports",
].map((feature) => `--disable-${feature}`);

export interface Flavour {
  readonly name: string;
  readonly options: readonly string[];
  /** NaN never arises: only then must the strict profile, which makes it canonical, behave like plain V8. */
  readonly hasNoNan: boolean;
}

const forV8 = ["--all-features", ...withoutForV8, "--disable-threads"];
const compilers = [
  ...words("mvp-features enable-bulk-memory enable-bulk-memory-opt enable-sign-ext enable-mutable-globals"),
  ...words("enable-nontrapping-float-to-int enable-multivalue enable-simd enable-tail-call"),
];

/** What a module may use. */
export const flavours: readonly Flavour[] = [
  { name: "all", options: [...forV8, "--emit-exnref"], hasNoNan: false },
  { name: "no gc", options: [...forV8, "--disable-gc", "--emit-exnref"], hasNoNan: false },
  { name: "what compilers emit", options: compilers, hasNoNan: false },
  { name: "no exceptions", options: [...forV8, "--disable-exception-handling"], hasNoNan: false },
  { name: "no nan", options: [...compilers, "--denan"], hasNoNan: true },
];

function words(text: string): string[] {
  return text.split(" ").map((word) => `--${word}`);
}

/** A stream of pseudo-random bytes: the same for the same seed, everywhere. */
export function randomBytes(seed: number, count: number): Uint8Array {
  let state = (seed * 2_654_435_761 + 0x9e37_79b9) >>> 0 || 1;
  return Uint8Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 11;
  });
}

type Exports = Readonly<Record<string, unknown>>;

interface Emscripten {
  readonly arguments: readonly string[];
  readonly print: () => void;
  readonly printErr: () => void;
  readonly postRun: () => void;
  readonly instantiateWasm?: (imports: never, done: (instance: { exports: Exports }) => void) => Exports;
}

/** Makes random modules in a folder of its own until it is disposed of. */
export class ModuleMaker {
  readonly #folder = mkdtempSync(join(tmpdir(), "remora-fuzz-"));
  readonly #script: (...globals: unknown[]) => void;
  readonly #path: string;
  #compiled: WasmModule | undefined;

  constructor() {
    const { resolve } = createRequire(import.meta.url);
    this.#path = join(resolve("binaryen"), "..", "bin", "wasm-opt");
    const source = readFileSync(this.#path, "utf8").replace(/^#!.*/, "");
    const globals = ["Module", "require", "module", "__dirname", "__filename", "process", "WebAssembly"];
    // `compileFunction` types its result as a plain Function.
    this.#script = compileFunction(source, globals) as (...globals: unknown[]) => void;
  }

  /** The module that this seed and flavour give; undefined when the tool fails, which it may. */
  async make(seed: number, flavour: Flavour): Promise<Uint8Array | undefined> {
    const input = join(this.#folder, "seed");
    const output = join(this.#folder, "module.wasm");
    writeFileSync(input, randomBytes(seed, 1_000 + (seed % 40) * 400));
    const code = await this.#run([input, "-ttf", "--quiet", ...flavour.options, "-o", output]);
    if (code !== 0) return undefined;
    const bytes = new Uint8Array(readFileSync(output));
    rmSync(output);
    return bytes;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(args: readonly string[]): Promise<number> {
    return new Promise((resolve) => {
      const compiled = this.#compiled;
      // It must not see our arguments, set our exit code or listen to our events.
      const ownProcess: { exitCode: number } = Object.create(process, {
        argv: { value: ["node", this.#path, ...args] },
        exitCode: { value: 0, writable: true },
        on: { value: () => {} },
      });
      const emscripten: Emscripten = {
        arguments: args,
        print: () => {},
        printErr: () => {},
        postRun: () => resolve(ownProcess.exitCode),
        ...(compiled !== undefined && {
          instantiateWasm: (imports, done) => {
            const instance = new webAssembly.Instance(compiled, imports);
            done(instance);
            return instance.exports;
          },
        }),
      };
      // The first run unpacks the module that is inside of the script; that is the slow part.
      const capturing = Object.assign(Object.create(webAssembly), {
        instantiate: async (bytes: Uint8Array, imports: never) => {
          const module = new webAssembly.Module(bytes);
          this.#compiled = module;
          return { module, instance: new webAssembly.Instance(module, imports) };
        },
      });
      this.#script(
        emscripten,
        createRequire(import.meta.url),
        { exports: {} },
        join(this.#path, ".."),
        this.#path,
        ownProcess,
        capturing,
      );
    });
  }
}
