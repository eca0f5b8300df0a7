/** Builds the guests of the benchmark. What came out is kept by a digest of what went in. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import asc from "assemblyscript/asc";
import { cacheFolder } from "./cache-folder.ts";
import { callsWat, callsWit, lazyWat, lazyWit, programWit } from "./worlds.ts";

export interface Guests {
  /** Exports a function for each shape of value. */
  readonly calls: Uint8Array;
  /** Is lent a message and calls two of its getters. */
  readonly lazy: Uint8Array;
  /** Some 60 KB of AssemblyScript. */
  readonly program: Uint8Array;
}

export async function buildGuests(): Promise<Guests> {
  return {
    calls: await fromText(callsWit, callsWat),
    lazy: await fromText(lazyWit, lazyWat),
    program: await buildProgram(),
  };
}

async function fromText(wit: string, wat: string): Promise<Uint8Array> {
  return wrap(await parse(wat), { wit, world: "plugin", stringEncoding: "utf8" });
}

interface WrapOptions {
  readonly wit: string;
  readonly world: string;
  readonly stringEncoding: "utf8" | "utf16";
}

async function wrap(binary: Uint8Array, { wit, world, stringEncoding }: WrapOptions): Promise<Uint8Array> {
  return componentNew(await componentEmbed({ binary, witSource: wit, world, stringEncoding }));
}

async function buildProgram(): Promise<Uint8Array> {
  const folder = join(import.meta.dirname, "assembly");
  const sources = new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const),
  );
  const inputs = createHash("sha256")
    .update(JSON.stringify([programWit, ...sources]))
    .digest("hex");
  const kept = join(cacheFolder, `program-${inputs.slice(0, 16)}.wasm`);
  if (existsSync(kept)) return new Uint8Array(readFileSync(kept));
  const core = await compile(sources);
  const built = await wrap(core, { wit: programWit, world: "program", stringEncoding: "utf16" });
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(kept, built);
  return built;
}

async function compile(sources: ReadonlyMap<string, string>): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const printed: string[] = [];
  const output = { write: (text: string | Uint8Array) => void printed.push(String(text)) };
  const { error } = await asc.main(
    ["program.ts", "--outFile", "program.wasm", "--runtime", "incremental", "-O3s", "--use", "abort="],
    {
      stdout: output,
      stderr: output,
      readFile: (name) => sources.get(name) ?? null,
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(printed.join(""));
  return binary;
}
