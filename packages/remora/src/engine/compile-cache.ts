/**
 * Compiled modules by what they are made of: digest of the original, version of the rewriter, options. A store, when
 * there is one, keeps between processes what costs time at the first start: rewritten bytes, and the plans of components.
 */

import { hash } from "node:crypto";
import { giveBack } from "../base/give-back.ts";
import { decodeComponent, type PreparedComponent, prepareComponent } from "../component/index.ts";
import { planVersion } from "../component/link/plan.ts";
import { type MeterOptions, rewriterVersion } from "../wasm/metering/contract.ts";
import type { CompiledModule, KnownModule } from "./compile.ts";
import { CompiledModules, type CompiledModulesOptions } from "./compiled-modules.ts";
import type { ModuleSource } from "./core-engine.ts";
import { KeptFiles, type RewriteStore } from "./kept-files.ts";
import { packPlan, unpackPlan } from "./kept-plan.ts";
import { type ModuleImport, moduleImports } from "./module-imports.ts";
import { ModuleMaker, type ModuleMakerOptions } from "./module-maker.ts";
import { Places } from "./places.ts";
import { type SentModule, SentModules, type SentModulesOptions } from "./sent-modules.ts";

export interface CompileCacheOptions extends CompiledModulesOptions, SentModulesOptions, ModuleMakerOptions {
  /** Default: nothing outlives the process. A store that throws is as good as none. */
  readonly store?: RewriteStore;
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

/** Compiled here, or rewritten for whoever compiles it elsewhere. */
export type PreparedAs = "compiled" | "rewritten";

export interface PrepareOptions {
  /** Default: `compiled`. */
  readonly as?: PreparedAs;
  /** Nobody changes the bytes, so that they need not be copied. Default: false. */
  readonly isSteady?: boolean;
  /** SHA-256 of steady bytes in hex, where it is known. */
  readonly digest?: string;
}

/** Smaller modules are rewritten and compiled in a few milliseconds. */
const asideBytesMin = 64 * 1_024;

/** Of all that is kept in a store: changes whenever what was kept before is not used any more, so that it can be dropped. */
export const keptVersion = `${rewriterVersion}-${planVersion}`;

export class CompileCache implements ModuleSource {
  readonly #options: ModuleMakerOptions;
  readonly #files: KeptFiles;
  readonly #maker: ModuleMaker;
  readonly #modules: CompiledModules;
  readonly #preparing = new Map<string, Promise<CompiledModule>>();
  readonly #sent: SentModules;
  readonly #sending = new Map<string, Promise<SentModule>>();

  /**
   * @param modules Those in memory; shared with another cache, or its own.
   * @param sent    The same of rewritten ones.
   */
  constructor(
    options: CompileCacheOptions = {},
    modules = new CompiledModules(options),
    sent = new SentModules(options),
  ) {
    this.#options = options;
    this.#files = new KeptFiles(options.store);
    this.#maker = new ModuleMaker(options, this.#files);
    this.#modules = modules;
    this.#sent = sent;
  }

  /** A cache with the modules of this one, which keeps files in another store. */
  keptIn(store: RewriteStore): CompileCache {
    return new CompileCache({ ...this.#options, store }, this.#modules, this.#sent);
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
    const original = steady(bytes);
    const digest = sha256(original);
    const compiled = this.#byDigest(original, digest, request);
    this.#modules.know(bytes, request.key, compiled);
    return compiled;
  }

  /**
   * Has ready what `compile` then gives at once, or `rewritten`. With a large module that takes a while, in which the event loop
   * turns: it is rewritten in turns of some milliseconds, and compiled by V8's own threads.
   *
   * @param bytes What is compiled is what they are now.
   * @throws what `compile` throws; of small modules `compile` itself does
   */
  async prepare(
    bytes: Uint8Array,
    request: CompileRequest,
    { as = "compiled", isSteady = false, digest: known }: PrepareOptions = {},
  ): Promise<void> {
    if (bytes.length < asideBytesMin) return;
    const made = as === "compiled" ? this.#modules : this.#sent;
    if (made.known(bytes, request.key) !== undefined) return;
    // Ours alone, since others run meanwhile.
    const own = isSteady ? undefined : Uint8Array.from(bytes);
    const original = own ?? steady(bytes);
    const digest = known ?? sha256(original);
    const key = `${digest}-${request.key}`;
    try {
      if (as === "rewritten") {
        const sent = this.#sending.get(key) ?? this.#send(key, original, digest, request);
        this.#sent.know(bytes, request.key, await sent);
      } else {
        const compiled =
          this.#modules.find(key) ??
          this.#preparing.get(key) ??
          this.#prepare(key, original, digest, request);
        this.#modules.know(bytes, request.key, await compiled);
      }
    } finally {
      if (own !== undefined) giveBack(own);
    }
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

  imports(compiled: KnownModule, original: Uint8Array): readonly ModuleImport[] {
    return moduleImports(compiled, original);
  }

  places(request: CompileRequest): Places {
    return new Places(request.options);
  }

  /**
   * The rewritten module for these bytes, for whoever compiles it elsewhere: as it was prepared, from the store, or made now.
   *
   * @param bytes As for `compile`.
   * @throws what `compile` throws
   */
  rewritten(bytes: Uint8Array, request: CompileRequest): SentModule {
    const known = this.#sent.known(bytes, request.key);
    if (known !== undefined) return known;
    const original = steady(bytes);
    const digest = sha256(original);
    const code = this.#maker.rewritten(original, { plugin: request.plugin, digest }, request);
    const sent = { ...code, digest };
    this.#sent.know(bytes, request.key, sent);
    return sent;
  }

  /** Resolves when all that was made until now is in the store, or could not be written. */
  settled(): Promise<void> {
    return this.#files.settled();
  }

  /** Forgets everything in memory. The store stays. */
  clear(): void {
    this.#modules.clear();
    this.#sent.clear();
  }

  #byDigest(original: Uint8Array, digest: string, request: CompileRequest): CompiledModule {
    const key = `${digest}-${request.key}`;
    return (
      this.#modules.find(key) ??
      this.#modules.keep(key, this.#maker.make(original, { plugin: request.plugin, digest }, request))
    );
  }

  /** One for all who want the same module meanwhile. */
  #prepare(
    key: string,
    original: Uint8Array,
    digest: string,
    request: CompileRequest,
  ): Promise<CompiledModule> {
    const prepared = this.#maker
      .makeAside(original, { plugin: request.plugin, digest }, request)
      // Whoever could not wait may have made it meanwhile.
      .then((made) => this.#modules.find(key) ?? this.#modules.keep(key, made))
      .finally(() => this.#preparing.delete(key));
    this.#preparing.set(key, prepared);
    return prepared;
  }

  #send(key: string, original: Uint8Array, digest: string, request: CompileRequest): Promise<SentModule> {
    const sent = this.#maker
      .rewrittenAside(original, { plugin: request.plugin, digest }, request)
      .then((code) => ({ ...code, digest }))
      .finally(() => this.#sending.delete(key));
    this.#sending.set(key, sent);
    return sent;
  }
}

/** Shared memory could change between our look at it and V8's. */
function steady(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
}

function sha256(data: Uint8Array | string): string {
  return hash("sha256", data);
}
