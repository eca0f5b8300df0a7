/** An engine without limits: this suite asks what the component layer does, the meter has suites of its own. */

import type { RemoraError } from "remora/base";
import type { CoreEngine, CoreImports, CoreInstance } from "remora/component";

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `(module (func (export "t") unreachable))` */
const trapModule = Buffer.from("0061736d0100000001040160000003020100070501017400000a05010300000b", "hex");

/** A call into an instance that trapped before, or that is being called: the suite takes it for a trap. */
export class RefusedEntry extends Error {}

export class PlainEngine implements CoreEngine {
  readonly text: CoreEngine["text"] = {
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
  /** From the first use on, so that the suite's few values pass through them. */
  readonly routines: NonNullable<CoreEngine["routines"]> = {
    usesBefore: 0,
    instantiate(bytes, imports) {
      // As below; the option is younger than its declaration.
      const compile = WebAssembly.Module as new (bytes: Uint8Array, options: object) => WebAssembly.Module;
      const compiled = new compile(bytes, { builtins: ["js-string"] });
      return new WebAssembly.Instance(compiled, imports as WebAssembly.Imports)
        .exports as CoreInstance["exports"];
    },
  };
  #state: "idle" | "busy" | "poisoned" = "idle";
  #aborted: RemoraError | undefined;

  instantiate(bytes: Uint8Array, imports: CoreImports): CoreInstance {
    const compiled = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    // The layer's description of core externs and that of the platform are one.
    const instance = new WebAssembly.Instance(compiled, imports as WebAssembly.Imports);
    return { exports: instance.exports as CoreInstance["exports"] };
  }

  enter(): void {
    if (this.#state !== "idle") throw new RefusedEntry(`the instance is ${this.#state}`);
    this.#state = "busy";
  }

  leave(): void {
    this.#state = "idle";
  }

  cancel(): void {
    this.#state = "idle";
  }

  abort(error: RemoraError): never {
    this.#aborted ??= error;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(trapModule));
    return (exports.t as () => never)();
  }

  fail(error: unknown): unknown {
    this.#state = "poisoned";
    return this.#aborted ?? error;
  }
}
