/**
 * Makes compiled modules from originals: with the rewritten bytes out of the store where they were kept, else by the rewriter.
 * At once, for whoever cannot wait; or aside, while the event loop turns.
 */

import type { MeteredModule } from "../wasm/metering/contract.ts";
import { meterSteps } from "../wasm/metering/meter-module.ts";
import {
  type CompiledModule,
  checkOriginalAside,
  checkRewritten,
  checkRewrittenAside,
  compileAside,
  compileRewritten,
  type Eagerly,
  type ModuleFacts,
  type Origin,
  type Rewrite,
  rewriteChecked,
  rewriteUnvouched,
} from "./compile.ts";
import type { CompileRequest } from "./compile-cache.ts";
import { eagerlyByFlag } from "./eager-compile.ts";
import type { KeptFiles } from "./kept-files.ts";
import { u32 } from "./sealed-file.ts";
import { inTurns } from "./turns.ts";

export interface ModuleMakerOptions {
  /** Default: the rewriter. */
  readonly rewrite?: Rewrite;
  /** How V8 is made to compile a module with a large function at once. Default: by a flag, see `eager-compile.ts`. */
  readonly eagerly?: Eagerly;
}

/** A rewritten module as it is compiled, and kept in a store. */
export interface RewrittenCode {
  readonly bytes: Uint8Array;
  readonly facts: ModuleFacts;
}

export interface MadeModule {
  readonly compiled: CompiledModule;
  /** Bytes of rewritten code. */
  readonly sizeBytes: number;
}

export class ModuleMaker {
  readonly #rewrite: Rewrite;
  readonly #eagerly: Eagerly;
  readonly #files: KeptFiles;

  constructor({ rewrite = meterSteps, eagerly = eagerlyByFlag }: ModuleMakerOptions, files: KeptFiles) {
    this.#rewrite = rewrite;
    this.#eagerly = eagerly;
    this.#files = files;
  }

  /** @throws what `rewriteChecked` and `compileRewritten` throw */
  make(original: Uint8Array, origin: Origin, request: CompileRequest): MadeModule {
    const kept = this.#kept(origin, request);
    if (kept !== undefined) {
      try {
        return made(kept, compileRewritten(kept.bytes, kept.facts, origin, this.#eagerly));
      } catch {
        // Not what V8 takes: a store that cannot help is as good as none.
      }
    }
    const code = codeOf(rewriteChecked(original, origin, request.options, this.#rewrite));
    const compiled = compileRewritten(code.bytes, code.facts, origin, this.#eagerly);
    this.#keep(code, origin, request);
    return made(code, compiled);
  }

  /**
   * The same, while the event loop turns.
   *
   * @param original Nobody changes it meanwhile.
   */
  async makeAside(original: Uint8Array, origin: Origin, request: CompileRequest): Promise<MadeModule> {
    const kept = this.#kept(origin, request);
    if (kept !== undefined) {
      try {
        return made(kept, await compileAside(kept.bytes, kept.facts, origin, this.#eagerly));
      } catch {
        // As above.
      }
    }
    const code = await this.#rewrittenInTurns(original, origin, request);
    const compiled = await compileAside(code.bytes, code.facts, origin, this.#eagerly);
    this.#keep(code, origin, request);
    return made(code, compiled);
  }

  /**
   * The rewritten module alone, for whoever compiles it elsewhere.
   *
   * @throws what `rewriteChecked` and `compileRewritten` throw
   */
  rewritten(original: Uint8Array, origin: Origin, request: CompileRequest): RewrittenCode {
    const kept = this.#kept(origin, request);
    if (kept !== undefined) return kept;
    const code = codeOf(rewriteChecked(original, origin, request.options, this.#rewrite));
    // What V8 finds valid here it takes elsewhere.
    checkRewritten(code.bytes, origin);
    this.#keep(code, origin, request);
    return code;
  }

  /** The same, rewritten as `makeAside` does it. */
  async rewrittenAside(
    original: Uint8Array,
    origin: Origin,
    request: CompileRequest,
  ): Promise<RewrittenCode> {
    const kept = this.#kept(origin, request);
    if (kept !== undefined) return kept;
    const code = await this.#rewrittenInTurns(original, origin, request);
    await checkRewrittenAside(code.bytes, origin);
    this.#keep(code, origin, request);
    return code;
  }

  async #rewrittenInTurns(
    original: Uint8Array,
    origin: Origin,
    { options }: CompileRequest,
  ): Promise<RewrittenCode> {
    let vouched: Promise<void> | undefined;
    // While the rewriter writes, which is on one thread.
    const vouch = () => {
      vouched ??= checkOriginalAside(original, origin);
      // Whoever waits for the rewriter is told below.
      vouched.catch(() => {});
      return vouched;
    };
    const rewritten = await inTurns(rewriteUnvouched(original, origin, options, this.#rewrite, vouch));
    await vouch();
    if (rewritten.kind === "refused") throw rewritten.error;
    return codeOf(rewritten.metered);
  }

  #kept({ digest }: Origin, request: CompileRequest): RewrittenCode | undefined {
    return this.#files.read(fileName(digest, request), unpack);
  }

  #keep(code: RewrittenCode, { digest }: Origin, request: CompileRequest): void {
    this.#files.write(fileName(digest, request), () => pack(code));
  }
}

function fileName(digest: string, { key }: CompileRequest): string {
  return `${digest}-${key}.metered`;
}

function codeOf({ bytes, ...facts }: MeteredModule): RewrittenCode {
  return { bytes, facts };
}

function made({ bytes }: RewrittenCode, compiled: CompiledModule): MadeModule {
  return { compiled, sizeBytes: bytes.length };
}

/** Length of the facts, facts as JSON, rewritten bytes. */
function pack({ bytes, facts }: RewrittenCode): Uint8Array[] {
  const header = Buffer.from(JSON.stringify(facts), "utf8");
  return [u32(header.length), header, bytes];
}

function unpack(content: Buffer): RewrittenCode {
  const bytesAt = 4 + content.readUInt32LE(0);
  // Our own writing, as its seal says.
  const facts = JSON.parse(content.toString("utf8", 4, bytesAt)) as ModuleFacts;
  return { bytes: content.subarray(bytesAt), facts };
}
