/**
 * For the tests of this layer: an engine without limits on plain WebAssembly, and components made from text by
 * the tools of jco.
 */

import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { RemoraError } from "../../base/index.ts";
import { decodeComponent } from "../binary/decode.ts";
import type { CoreEngine, CoreImports, CoreInstance, RoutineEngine, TextCodec } from "../core.ts";
import type { HostImports } from "../link/host-imports.ts";
import { type ComponentInstance, type PreparedComponent, prepareComponent } from "../prepare.ts";

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const plainText: TextCodec = {
  encodeUtf8: (text, into, at) => encoder.encodeInto(text, into.subarray(at)).written,
  utf8Length: (text) => Buffer.byteLength(text, "utf8"),
  decodeUtf8(from, at, length) {
    try {
      return strictDecoder.decode(from.subarray(at, at + length));
    } catch {
      // Not UTF-8, which the contract answers with undefined.
      return undefined;
    }
  },
  decodeUtf16: (from, at, units) => Buffer.from(from.buffer, at, 2 * units).toString("utf16le"),
  decodeLatin1: (from, at, length) => Buffer.from(from.buffer, at, length).toString("latin1"),
};

/** `(module (func (export "t") unreachable))` */
const trapModule = Uint8Array.from(
  Buffer.from("0061736d010000000104016000000302010007050101740000" + "0a05010300000b", "hex"),
);

/** As much of WebAssembly's own interface as is used here: it is in no library of Node's types. */
const webAssembly = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array, options?: { readonly builtins: readonly string[] }) => object;
      Instance: new (module: object, imports?: CoreImports) => CoreInstance;
    };
  }
).WebAssembly;

const compiled = new WeakMap<Uint8Array, object>();

/** Store routines from the first use on; `count` is how many were made. */
export function eagerRoutines(): RoutineEngine & { count: number } {
  return {
    usesBefore: 0,
    count: 0,
    instantiate(bytes, imports) {
      this.count++;
      const module = new webAssembly.Module(bytes, { builtins: ["js-string"] });
      return new webAssembly.Instance(module, imports).exports;
    },
  };
}

/** Unmetered, and otherwise as the contract says: one call at a time, poisoned by the first failure. */
export class PlainEngine implements CoreEngine {
  readonly text = plainText;
  readonly events: string[] = [];
  readonly routines?: RoutineEngine;
  state: "idle" | "busy" | "poisoned" = "idle";
  #aborted: RemoraError | undefined;

  constructor(routines?: RoutineEngine) {
    if (routines !== undefined) this.routines = routines;
  }

  get isPoisoned(): boolean {
    return this.state === "poisoned";
  }

  instantiate(bytes: Uint8Array, imports: CoreImports): CoreInstance {
    let module = compiled.get(bytes);
    if (module === undefined) {
      module = new webAssembly.Module(bytes);
      compiled.set(bytes, module);
    }
    try {
      return new webAssembly.Instance(module, imports);
    } catch (error) {
      throw this.fail(error);
    }
  }

  enter(): void {
    if (this.state !== "idle") throw new Error(`cannot enter: ${this.state}`);
    this.state = "busy";
  }

  leave(): void {
    this.state = "idle";
  }

  cancel(): void {
    this.state = "idle";
  }

  abort(error: RemoraError): never {
    this.#aborted ??= error;
    const { t: trap } = new webAssembly.Instance(new webAssembly.Module(trapModule)).exports;
    return (trap as () => never)();
  }

  fail(error: unknown): unknown {
    this.state = "poisoned";
    return this.#aborted ?? error;
  }
}

export interface Loaded {
  readonly prepared: PreparedComponent;
  readonly instance: ComponentInstance;
  readonly engine: PlainEngine;
  // biome-ignore lint/suspicious/noExplicitAny: exports of types that only exist at run time
  readonly exports: any;
}

export async function componentFromWat(wat: string): Promise<Uint8Array> {
  return parse(wat);
}

/** A component out of a core module and a world. */
export async function componentFromWit(options: {
  readonly wit: string;
  readonly world: string;
  readonly wat: string;
  readonly encoding?: "utf8" | "utf16" | "compact-utf16";
}): Promise<Uint8Array> {
  const binary = await parse(options.wat);
  const embedded = await componentEmbed({
    binary,
    witSource: options.wit,
    world: options.world,
    stringEncoding: options.encoding ?? "utf8",
  });
  return componentNew(embedded);
}

export function load(bytes: Uint8Array, imports: HostImports = {}, routines?: RoutineEngine): Loaded {
  const prepared = prepareComponent(decodeComponent(bytes));
  const engine = new PlainEngine(routines);
  const instance = prepared.instantiate({ engine, imports });
  return { prepared, instance, engine, exports: instance.exports };
}

/** The code of the error that a function throws. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof RemoraError ? error.code : `no code: ${String(error)}`;
  }
  return "nothing thrown";
}
