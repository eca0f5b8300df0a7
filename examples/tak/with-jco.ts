/**
 * Runs a component on jco, another implementation of the canonical ABI: what a plugin does there it does by the
 * standard, and not by an agreement between our compiler and our runtime.
 */

import { transpileBytes } from "@bytecodealliance/jco-transpile";

/** Functions of an interface, as jco passes them: records are objects, and names in camel case. */
// biome-ignore lint/suspicious/noExplicitAny: their types are in WIT, not in TypeScript; a missing one fails its test
export type Functions = any;

export interface JcoInstance {
  /** Exported interfaces by name, with or without namespace and version. */
  readonly exports: Readonly<Record<string, Functions>>;
  /** Bytes of linear memory that the instance holds. */
  memorySize(): number;
}

/** Instantiates a component on imports by interface name without version: `omnitak:plugin/host`. */
export async function instantiateOnJco(component: Uint8Array, imports: object): Promise<JcoInstance> {
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

// TypeScript declares WebAssembly with the DOM only.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array | undefined) => unknown;
  readonly Instance: new (module: unknown, imports: unknown) => { readonly exports: Record<string, unknown> };
  readonly Memory: new () => { readonly buffer: ArrayBuffer };
};
