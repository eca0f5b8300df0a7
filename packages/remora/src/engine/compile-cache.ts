/**
 * Compiled modules by what they are made of: digest of the original, version of the rewriter, options. A store, when
 * there is one, keeps between processes what costs time at the first start: rewritten bytes, and the plans of components.
 */

import { createHash } from "node:crypto";
import { decodeComponent, type PreparedComponent, prepareComponent } from "../component/index.ts";
import { planVersion } from "../component/link/plan.ts";
import { type MeteredModule, type MeterOptions, rewriterVersion } from "../wasm/metering/contract.ts";
import { meterModule } from "../wasm/metering/meter-module.ts";
import {
  type CompiledModule,
  compileRewritten,
  type Eagerly,
  type ModuleFacts,
  type Rewrite,
  rewriteChecked,
} from "./compile.ts";
import { type CompiledEntry, CompiledModules, type CompiledModulesOptions } from "./compiled-modules.ts";
import type { ModuleSource } from "./core-engine.ts";
import { eagerlyByFlag } from "./eager-compile.ts";
import { KeptFiles, type RewriteStore } from "./kept-files.ts";
import { packPlan, unpackPlan } from "./kept-plan.ts";
import { type ModuleImport, moduleImports } from "./module-imports.ts";
import { Places } from "./places.ts";
import { u32 } from "./sealed-file.ts";

export interface CompileCacheOptions extends CompiledModulesOptions {
  /** Default: the rewriter. */
  readonly rewrite?: Rewrite;
  /** Default: nothing outlives the process. A store that throws is as good as none. */
  readonly store?: RewriteStore;
  /** How V8 is made to compile a module with a large function at once. Default: by a flag, see `eager-compile.ts`. */
  readonly eagerly?: Eagerly;
}

/** Options with the key that they give every module: computed once, not once a module. */
export interface CompileRequest {
  readonly plugin: string;
  readonly options: MeterOptions;
  readonly key: string;
}

export function compileRequest(plugin: string, options: MeterOptions): CompileRequest {
  const { sizes, allow, ...rest } = options;
  const ordered = (object: object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([
    rewriterVersion,
    ordered(rest),
    ordered(sizes ?? {}),
    [...(allow ?? [])].sort(),
  ]);
  return { plugin, options, key: sha256(text).slice(0, 32) };
}

interface StoredFacts {
  readonly facts: ModuleFacts;
}

/** Of all that is kept in a store: changes whenever what was kept before is not used any more, so that it can be dropped. */
export const keptVersion = `${rewriterVersion}-${planVersion}`;

export class CompileCache implements ModuleSource {
  readonly #rewrite: Rewrite;
  readonly #files: KeptFiles;
  readonly #eagerly: Eagerly;
  readonly #modules: CompiledModules;

  /** @param modules Those in memory; shared with another cache, or its own. */
  constructor(options: CompileCacheOptions = {}, modules = new CompiledModules(options)) {
    this.#rewrite = options.rewrite ?? meterModule;
    this.#files = new KeptFiles(options.store);
    this.#eagerly = options.eagerly ?? eagerlyByFlag;
    this.#modules = modules;
  }

  /** A cache with the modules of this one, which keeps files in another store. */
  keptIn(store: RewriteStore): CompileCache {
    const options = { rewrite: this.#rewrite, eagerly: this.#eagerly, store };
    return new CompileCache(options, this.#modules);
  }

  /** How much is kept although it may not be in use. */
  get kept(): { readonly modules: number; readonly sizeBytes: number } {
    return this.#modules.kept;
  }

  /**
   * The compiled module for these bytes: from memory, from the store, or made now.
   *
   * @param bytes Must not change as long as they are used here.
   * @throws what `rewriteChecked` and `compileRewritten` throw
   */
  compile(bytes: Uint8Array, request: CompileRequest): CompiledModule {
    const known = this.#modules.known(bytes, request.key);
    if (known !== undefined) return known;
    // Shared memory could change between our look at it and V8's.
    const original = bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
    const digest = sha256(original);
    const compiled = this.#byDigest(original, digest, request);
    this.#modules.know(bytes, request.key, compiled);
    return compiled;
  }

  /**
   * The component in these bytes: by its plan from the store, or validated and planned now.
   *
   * @param bytes  Must not change as long as they are used here.
   * @param digest Their SHA-256 in hex.
   * @throws component/… wasm/… what is wrong with it
   */
  component(bytes: Uint8Array, digest: string): PreparedComponent {
    const name = `${digest}-${planVersion}.plan`;
    const kept = this.#files.read(name, (content) => unpackPlan(content, bytes));
    if (kept !== undefined) return kept;
    const made = prepareComponent(decodeComponent(bytes));
    this.#files.write(name, () => [packPlan(made, bytes)]);
    return made;
  }

  imports(compiled: CompiledModule, original: Uint8Array): readonly ModuleImport[] {
    return moduleImports(compiled, original);
  }

  places(request: CompileRequest): Places {
    return new Places(request.options);
  }

  /**
   * The rewritten module for these bytes, for whoever compiles it elsewhere: from the store, or made now.
   *
   * @throws what `rewriteChecked` throws
   */
  rewritten(bytes: Uint8Array, request: CompileRequest): Pick<MeteredModule, "bytes"> & StoredFacts {
    const digest = sha256(bytes);
    const key = `${digest}-${request.key}`;
    const stored = this.#rewrittenBefore(key);
    if (stored !== undefined) return stored;
    const origin = { plugin: request.plugin, digest };
    const { bytes: code, ...facts } = rewriteChecked(bytes, origin, request.options, this.#rewrite);
    this.#keepRewritten(key, code, facts);
    return { bytes: code, facts };
  }

  /** Resolves when all that was made until now is in the store, or could not be written. */
  settled(): Promise<void> {
    return this.#files.settled();
  }

  /** Forgets everything in memory. The store stays. */
  clear(): void {
    this.#modules.clear();
  }

  #byDigest(original: Uint8Array, digest: string, request: CompileRequest): CompiledModule {
    const key = `${digest}-${request.key}`;
    const found = this.#modules.find(key);
    if (found !== undefined) return found;
    const made = this.#compiledBefore(key, digest) ?? this.#make(original, key, digest, request);
    this.#modules.keep(key, made);
    return made.compiled;
  }

  #make(original: Uint8Array, key: string, digest: string, request: CompileRequest): CompiledEntry {
    const origin = { plugin: request.plugin, digest };
    const { bytes, ...facts } = rewriteChecked(original, origin, request.options, this.#rewrite);
    const compiled = compileRewritten(bytes, facts, origin, this.#eagerly);
    this.#keepRewritten(key, bytes, facts);
    return { compiled, sizeBytes: bytes.length };
  }

  #compiledBefore(key: string, digest: string): CompiledEntry | undefined {
    const stored = this.#rewrittenBefore(key);
    if (stored === undefined) return undefined;
    const { bytes, facts } = stored;
    try {
      return {
        compiled: compileRewritten(bytes, facts, { plugin: key, digest }, this.#eagerly),
        sizeBytes: bytes.length,
      };
    } catch {
      // Not what V8 takes: a cache that cannot help is as good as none.
      return undefined;
    }
  }

  #rewrittenBefore(key: string): (Pick<MeteredModule, "bytes"> & StoredFacts) | undefined {
    return this.#files.read(`${key}.metered`, unpackRewritten);
  }

  #keepRewritten(key: string, bytes: Uint8Array, facts: ModuleFacts): void {
    this.#files.write(`${key}.metered`, () => packRewritten(bytes, facts));
  }
}

/** Length of the facts, facts as JSON, rewritten bytes. */
function packRewritten(bytes: Uint8Array, facts: ModuleFacts): Uint8Array[] {
  const header = Buffer.from(JSON.stringify(facts), "utf8");
  return [u32(header.length), header, bytes];
}

function unpackRewritten(content: Buffer): Pick<MeteredModule, "bytes"> & StoredFacts {
  const bytesAt = 4 + content.readUInt32LE(0);
  // Our own writing, as its seal says.
  const facts = JSON.parse(content.toString("utf8", 4, bytesAt)) as ModuleFacts;
  return { bytes: content.subarray(bytesAt), facts };
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
