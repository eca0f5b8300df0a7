/**
 * A plugin's `.wasm`, decoded and checked but not yet run: a component or a core module. Opening one runs no guest
 * code, so that it may be inspected and refused first; what every instance of it shares is made here once.
 */

import { hash } from "node:crypto";
import type { RemoraError } from "../base/index.ts";
import {
  type CoreExtern,
  type CoreImports,
  type CoreInstance,
  type HostImports,
  isComponent,
  neededImports,
  type PreparedComponent,
} from "../component/index.ts";
import type { ImportNeed } from "../policy/index.ts";
import { decodeModule, importsOf, type MeterMode, type ProfileName } from "../wasm/index.ts";
import { CompileCache, type CompileRequest, compileRequest, type PreparedAs } from "./compile-cache.ts";
import { InstanceEngine } from "./core-engine.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { ComponentInstance, type Instance, ModuleInstance } from "./instance.ts";
import { checkLimits, type Limits } from "./limits.ts";
import { ModuleWaiting } from "./module-waiting.ts";

export interface ArtifactOptions {
  /** Names the plugin in errors. Default: the first digits of its digest. */
  readonly plugin?: string;
  /** Where compiled modules are kept. Default: one cache for the process, in memory. */
  readonly cache?: CompileCache;
  /** `strict` accepts only what is deterministic. Default: `default`. */
  readonly profile?: ProfileName;
  /** `deadline` is cheaper and does not count exactly: for plugins that are trusted. Default: `fuel`. */
  readonly mode?: MeterMode;
  /**
   * SHA-256 of the bytes, in hex, for whoever has checked it and lets nobody change them: they are neither digested once more
   * nor copied before the event loop turns. Default: both.
   */
  readonly sha256?: string;
}

export interface InstantiateOptions {
  /** Host functions by interface or module name; or what makes them for the one guest that will call them. */
  readonly imports: HostImports | ((guest: GuestAccess) => HostImports);
  readonly limits: Limits;
  /** Names the plugin in errors. Default: as the artifact was opened. */
  readonly plugin?: string;
  /**
   * The clock that deadlines are of, in milliseconds. Default: the monotonic one. Where the machine is busy with others,
   * the processor time of this thread blames a guest for nothing but its own.
   */
  readonly clock?: () => number;
  /** For components: makes every export give a promise, so that guests may also wait in synchronous functions. */
  readonly isPromised?: boolean;
}

/** The guest as its host functions see it. */
export interface GuestAccess {
  /** A core module's exported memory. Components lift instead. */
  readonly memory: GuestMemory;
  /** Ends the running call with this error; the guest cannot catch it. */
  abort(error: RemoraError): never;
  /**
   * In a host function: milliseconds until the deadline of the call in which it runs, Infinity when there is none. Behind a
   * wall also Infinity in functions of asynchronous type, whose calls are many at once.
   */
  readonly msLeft?: () => number;
  /**
   * To be called in a host function of a core module behind a wall, and left out elsewhere: when it has answered, and before
   * the guest goes on, an export is called with a number as far as it takes one. The last one counts; one that is not there
   * ends the call with `component/no-such-export`.
   */
  readonly callNext?: (name: string, argument?: number) => void;
}

interface Compiling {
  readonly plugin: string;
  readonly cache: CompileCache;
  readonly profile: ProfileName;
  readonly mode: MeterMode;
  readonly sharesCounters?: boolean;
  /** Nobody changes its bytes. */
  readonly isSteady: boolean;
}

/** What it takes to make instances of an artifact elsewhere, for the levels of isolation. */
export interface ArtifactParts {
  readonly cache: CompileCache;
  readonly request: CompileRequest;
}

export type Artifact = ComponentArtifact | ModuleArtifact;

const processCache = new CompileCache();

/**
 * Decodes and checks a plugin's bytes. No guest code runs.
 *
 * @param bytes A component or a core module, told apart by the header; must not change while in use.
 * @throws wasm/… component/… what is wrong with the bytes, with the byte offset
 * @throws TypeError          they are no Uint8Array
 */
export function openArtifact(bytes: Uint8Array, options: ArtifactOptions = {}): Artifact {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`A plugin is a Uint8Array, not ${kindOf(bytes)}`);
  const digest = options.sha256 ?? hash("sha256", bytes);
  const compiling: Compiling = {
    plugin: options.plugin ?? digest.slice(0, 12),
    cache: options.cache ?? processCache,
    profile: options.profile ?? "default",
    mode: options.mode ?? "fuel",
    isSteady: options.sha256 !== undefined,
  };
  return isComponent(bytes)
    ? new ComponentArtifact(bytes, digest, compiling)
    : new ModuleArtifact(bytes, digest, compiling);
}

export class ComponentArtifact {
  readonly kind = "component";
  /** SHA-256 in hex. */
  readonly digest: string;
  readonly component: PreparedComponent;
  readonly imports: readonly ImportNeed[];
  readonly #compiling: Compiling;
  readonly #requests = new RequestMemo();

  constructor(bytes: Uint8Array, digest: string, compiling: Compiling) {
    this.digest = digest;
    this.component = compiling.cache.component(bytes, digest);
    this.imports = neededImports(this.component).map((from) => ({ from }));
    this.#compiling = { ...compiling, sharesCounters: this.component.coreInstanceCount > 1 };
  }

  parts(limits: Limits): ArtifactParts {
    return { cache: this.#compiling.cache, request: this.#requests.request(this.#compiling, limits) };
  }

  /**
   * Has its modules compiled, for as long as somebody has the artifact's instances or the cache has room. `instantiate` does
   * that as well, and holds the event loop for it: here that turns, but while V8 validates a module. No guest code runs.
   *
   * @param limits As for the instances to come.
   * @param as     `rewritten` for instances in a process, which compiles them itself: nothing is compiled here. Default: `compiled`.
   * @throws engine/… wasm/… a core module cannot be taken
   */
  async prepare(limits: Limits, as: PreparedAs = "compiled"): Promise<void> {
    const { cache, request } = this.parts(limits);
    const { isSteady } = this.#compiling;
    // Side by side, so that one is rewritten while V8 compiles another.
    await Promise.all(
      this.component.plan.steps.map(
        (step) =>
          step.kind === "core-instance" &&
          step.module.kind === "bytes" &&
          cache.prepare(step.module.bytes, request, { as, isSteady }),
      ),
    );
  }

  /**
   * Makes a fresh instance and runs its start functions.
   *
   * @throws component/missing-imports all that is missing, at once
   * @throws engine/… wasm/…          a core module cannot be taken, or a start function failed
   */
  instantiate({ imports, isPromised = false, ...options }: InstantiateOptions): Instance {
    const engine = this.#requests.engine(this.#compiling, options);
    const given = importsFor(engine, imports, () => undefined);
    return new ComponentInstance(engine, this.component.instantiate({ engine, imports: given, isPromised }));
  }
}

export class ModuleArtifact {
  readonly kind = "module";
  /** SHA-256 in hex. */
  readonly digest: string;
  readonly imports: readonly ImportNeed[];
  readonly bytes: Uint8Array;
  readonly #compiling: Compiling;
  readonly #requests = new RequestMemo();

  constructor(bytes: Uint8Array, digest: string, compiling: Compiling) {
    this.digest = digest;
    this.bytes = bytes;
    this.#compiling = compiling;
    this.imports = importsOf(decodeModule(bytes)).map(({ module, name }) => ({
      from: module,
      item: name,
    }));
  }

  parts(limits: Limits): ArtifactParts {
    return { cache: this.#compiling.cache, request: this.#requests.request(this.#compiling, limits) };
  }

  /** As for a component. */
  prepare(limits: Limits, as: PreparedAs = "compiled"): Promise<void> {
    const { cache, request } = this.parts(limits);
    const { isSteady } = this.#compiling;
    return cache.prepare(this.bytes, request, { as, isSteady, ...(isSteady && { digest: this.digest }) });
  }

  /**
   * Makes a fresh instance and runs its start function. Its exports give promises when a host function is asynchronous.
   *
   * @throws engine/… wasm/…      the module cannot be taken or linked, or its start function failed
   * @throws component/no-waiting a host function is asynchronous and this V8 cannot let a guest wait
   */
  instantiate({ imports, ...options }: InstantiateOptions): Instance {
    const engine = this.#requests.engine(this.#compiling, options);
    let core: CoreInstance | undefined;
    const given = importsFor(engine, imports, () => core?.exports.memory);
    const waiting = ModuleWaiting.of(engine, this.bytes, given);
    // What is not a module of functions fails at linking, where V8 says which import it is.
    core = engine.instantiate(this.bytes, waiting?.imports ?? (given as CoreImports));
    return new ModuleInstance(engine, core, waiting);
  }
}

/** Whatever a caller without types has given: most often the ArrayBuffer of a response, or a promise of it. */
function kindOf(given: unknown): string {
  if (typeof given !== "object" || given === null) return given === null ? "null" : `of type ${typeof given}`;
  return Object.prototype.toString.call(given).slice("[object ".length, -1);
}

const noMemory = new Uint8Array(0);

function importsFor(
  engine: InstanceEngine,
  imports: InstantiateOptions["imports"],
  memory: () => CoreExtern | undefined,
): HostImports {
  if (typeof imports !== "function") return imports;
  let view = noMemory;
  return imports({
    memory: {
      view() {
        // A view of length zero is one that growth has detached, or none yet.
        if (view.length > 0) return view;
        const found = memory();
        view =
          found !== undefined && "buffer" in found ? new Uint8Array(found.buffer as ArrayBuffer) : noMemory;
        return view;
      },
    },
    abort: (error) => engine.abort(error),
    msLeft: () => engine.msLeft,
  });
}

/** The request of the last limits: a pool asks for the same ones again and again. */
class RequestMemo {
  #limits: Limits | undefined;
  #request: CompileRequest | undefined;

  engine(compiling: Compiling, options: Omit<InstantiateOptions, "imports">): InstanceEngine {
    const { limits, plugin, clock } = options;
    return new InstanceEngine({
      cache: compiling.cache,
      request: this.request(compiling, limits),
      limits,
      ...(plugin !== undefined && { plugin }),
      ...(clock !== undefined && { clock }),
    });
  }

  request(compiling: Compiling, limits: Limits): CompileRequest {
    if (this.#request === undefined || this.#limits !== limits) {
      checkLimits(limits);
      this.#limits = limits;
      this.#request = compileRequest(compiling.plugin, {
        mode: compiling.mode,
        profile: compiling.profile,
        memoryPagesMax: limits.memoryPagesMax,
        tableElementsMax: limits.tableElementsMax,
        stack: true,
        ...(compiling.sharesCounters === true && { sharesCounters: true }),
      });
    }
    return this.#request;
  }
}
