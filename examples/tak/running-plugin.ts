/**
 * Runs a component on Remora, and on jco, another implementation of the canonical ABI: what a plugin does there it
 * does by the standard, and not by an agreement between our compiler and our runtime.
 */

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { load } from "remora/engine";

/** Functions of an interface, called by their camelCase names. */
// biome-ignore lint/suspicious/noExplicitAny: their types are in WIT, not in TypeScript; a missing one fails its test
export type Functions = any;

export interface RunningPlugin {
  /** Exported interfaces by name, with or without namespace and version. */
  readonly exports: Readonly<Record<string, Functions>>;
  /** Bytes of linear memory that the instance holds. */
  memorySize(): number;
}

/** Imports go by interface name without version: `omnitak:plugin/host`. */
type Imports = Readonly<Record<string, object>>;

export async function instantiateOnRemora(component: Uint8Array, imports: Imports): Promise<RunningPlugin> {
  const versioned = Object.entries(imports).map(([name, functions]) => [`${name}@0.1.0`, functions]);
  const instance = await load<Readonly<Record<string, Functions>>>(component, {
    imports: Object.fromEntries(versioned),
  });
  return { exports: instance.exports, memorySize: () => instance.report.memoryPages * pageSize };
}

export async function instantiateOnJco(component: Uint8Array, imports: Imports): Promise<RunningPlugin> {
  const { files } = await transpileBytes(component, { name: "plugin", instantiation: "sync", minify: false });
  const source = files["plugin.js"];
  if (source === undefined) throw new Error("jco gave no plugin.js");
  const { instantiate } = await import(
    `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`
  );
  const memories: { buffer: ArrayBuffer }[] = [];
  const exports = instantiate(
    (path: string) => new WebAssembly.Module(files[path]),
    imports,
    (module: unknown, coreImports: unknown) => {
      const instance = new WebAssembly.Instance(module, coreImports);
      memories.push(...Object.values(instance.exports).filter((each) => each instanceof WebAssembly.Memory));
      return instance;
    },
  );
  return {
    exports,
    memorySize: () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
  };
}

const pageSize = 65536;

// TypeScript declares WebAssembly with the DOM only.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array | undefined) => unknown;
  readonly Instance: new (module: unknown, imports: unknown) => { readonly exports: Record<string, unknown> };
  readonly Memory: new () => { readonly buffer: ArrayBuffer };
};
