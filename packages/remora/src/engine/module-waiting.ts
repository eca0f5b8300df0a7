/**
 * Core modules whose host functions are asynchronous: such an import lets the guest wait, and all exports give promises,
 * as with components. Functions whose types V8 cannot hand to a stack of its own (several results, vectors) stay as they
 * are: whoever waits in one is told that it cannot.
 */

import { isRemoraError } from "../base/index.ts";
import { untilAborted, withAbort } from "../component/async/abortable.ts";
import { isAsyncHostFunction } from "../component/async-host.ts";
import type { CoreFunction, CoreImports, CoreSignature, CoreValue, CoreWaiting } from "../component/core.ts";
import { componentErrors } from "../component/errors.ts";
import type { HostImports } from "../component/index.ts";
import { isSlowHostFunction, slowHostFunction } from "../component/slow-host.ts";
import { decodeSections, findSection } from "../wasm/decode.ts";
import { externTypeOf, type IndexSpaces, importsOf, indexSpaces } from "../wasm/index-spaces.ts";
import type { ExternType } from "../wasm/module.ts";
import type { InstanceEngine } from "./core-engine.ts";
import { resultCheck } from "./host-result.ts";

type ByName = ReadonlyMap<string, CoreSignature>;

/** Types of functions by name, those of imports by their module before; of those that cannot wait there is none. */
interface FunctionTypes {
  readonly imports: ReadonlyMap<string, ByName>;
  readonly exports: ByName;
}

export class ModuleWaiting {
  /** The given imports, with those that are asynchronous made to wait. */
  readonly imports: CoreImports;
  readonly #engine: InstanceEngine;
  readonly #waiting: CoreWaiting;
  readonly #types: FunctionTypes;
  /** Whether the guest runs on a stack of its own, which can be put aside. */
  #isOnOwnStack = false;

  /**
   * Undefined when nothing that is given is asynchronous.
   *
   * @throws component/no-waiting this V8 cannot put a guest aside
   */
  static of(engine: InstanceEngine, module: Uint8Array, given: HostImports): ModuleWaiting | undefined {
    const name = nameOfAsync(given);
    if (name === undefined) return undefined;
    const { waiting } = engine;
    if (waiting === undefined) throw componentErrors["no-waiting"]({ name });
    return new ModuleWaiting(engine, waiting, { types: functionTypes(module), given });
  }

  private constructor(
    engine: InstanceEngine,
    waiting: CoreWaiting,
    { types, given }: { readonly types: FunctionTypes; readonly given: HostImports },
  ) {
    this.#engine = engine;
    this.#waiting = waiting;
    this.#types = types;
    const imports: CoreImports = Object.create(null);
    for (const [module, fields] of Object.entries(given)) {
      const made: CoreImports[string] = Object.create(null);
      for (const [name, field] of Object.entries(fields as CoreImports[string])) {
        made[name] = isAsync(field) ? this.#importOf(module, name, field) : field;
      }
      imports[module] = made;
    }
    this.imports = imports;
  }

  /** An export as the host calls it: it gives a promise, unless its type does not allow that. */
  exported(name: string, core: CoreFunction): CoreFunction | undefined {
    const signature = this.#types.exports.get(name);
    if (signature === undefined) return undefined;
    const engine = this.#engine;
    let result: unknown;
    const entry = this.#waiting.entryOf(core, signature, (returned) => {
      result = returned;
    });
    const call: CoreFunction = async (...args) => {
      engine.enter();
      this.#isOnOwnStack = true;
      try {
        await entry(...(args as (number | bigint)[])); // V8 converts, and throws what does not fit
        this.#waiting.settle();
      } catch (error) {
        // As `failed` in instance.ts: nothing ran when an argument did not fit, or when there was no stack for it.
        const isRefused = error instanceof TypeError || isRemoraError(error, "engine/too-many-waiting");
        if (!isRefused || engine.fuelUsed > 0) throw engine.fail(error);
        engine.cancel();
        throw error;
      } finally {
        this.#isOnOwnStack = false;
      }
      engine.leave();
      return result;
    };
    // It has no way to ask its guest to end a call.
    const atOnce = 0;
    return withAbort(call, (args, signal) =>
      untilAborted(
        signal,
        () => call(...args),
        () => this.#waiting.hurry(signal.reason, atOnce),
      ),
    );
  }

  #importOf(module: string, name: string, given: CoreFunction): CoreFunction {
    const signature = this.#types.imports.get(module)?.get(name);
    // Not imported, or of a type that cannot wait: V8 links it as it is, or says why not.
    if (signature === undefined) return given;
    const look = resultCheck({ module, name, results: signature.results }, this.#engine.plugin)?.look;
    const checked: CoreFunction = (...args) => {
      const answer: unknown = given(...args);
      if (!(answer instanceof Promise)) return look === undefined ? answer : look(answer);
      if (!this.#isOnOwnStack) throw componentErrors["cannot-wait"]({ name: `${module}.${name}` });
      return look === undefined ? answer : answer.then(look);
    };
    return this.#waiting.importOf(isSlowHostFunction(given) ? slowHostFunction(checked) : checked, signature);
  }
}

function nameOfAsync(given: HostImports): string | undefined {
  for (const [module, fields] of Object.entries(given)) {
    for (const [name, field] of Object.entries(fields as object))
      if (isAsync(field)) return `${module}.${name}`;
  }
  return undefined;
}

function isAsync(field: unknown): field is CoreFunction {
  return typeof field === "function" && isAsyncHostFunction(field);
}

/** By the bytes of an artifact, of which many instances are made. */
const known = new WeakMap<Uint8Array, FunctionTypes>();

function functionTypes(bytes: Uint8Array): FunctionTypes {
  let types = known.get(bytes);
  if (types === undefined) {
    types = readFunctionTypes(bytes);
    known.set(bytes, types);
  }
  return types;
}

function readFunctionTypes(bytes: Uint8Array): FunctionTypes {
  const module = decodeSections(bytes, ["type", "import", "function", "export"]);
  const spaces = indexSpaces(module);
  const imports = new Map<string, Map<string, CoreSignature>>();
  for (const { module: from, name, type } of importsOf(module)) {
    const signature = signatureOf(spaces, type);
    if (signature === undefined) continue;
    const named = imports.get(from) ?? new Map<string, CoreSignature>();
    imports.set(from, named.set(name, signature));
  }
  const exports = new Map<string, CoreSignature>();
  for (const { name, kind, index } of findSection(module, "export")?.items ?? []) {
    const signature = signatureOf(spaces, externTypeOf(spaces, kind, index));
    if (signature !== undefined) exports.set(name, signature);
  }
  return { imports, exports };
}

/** The shims have as many parameters as the canonical ABI ever needs, and 17 are enough for every convention we know. */
const parametersMax = 17;

function signatureOf(spaces: IndexSpaces, type: ExternType | undefined): CoreSignature | undefined {
  if (type?.kind !== "func") return undefined;
  const composite = spaces.types[type.type]?.composite;
  if (composite?.kind !== "func") return undefined;
  const { parameters, results } = composite;
  if (parameters.length > parametersMax || results.length > 1) return undefined;
  const values = [...parameters, ...results].map(coreValueOf);
  if (values.some((value) => value === undefined)) return undefined;
  const core = values as CoreValue[]; // none is undefined, as was just checked
  return { params: core.slice(0, parameters.length), results: core.slice(parameters.length) };
}

function coreValueOf(type: unknown): CoreValue | undefined {
  return type === "i32" || type === "i64" || type === "f32" || type === "f64" ? type : undefined;
}
