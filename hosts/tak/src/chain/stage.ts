/**
 * One place in the chain: a native filter or a plugin. A filter decides whether a message goes on; a
 * transformer gives back the message that does. Both answer at once, on the caller's thread; or later, where a plugin
 * is behind a wall.
 */

import type { CotMessage } from "../cot/message.ts";
import { compileFilter } from "../filters/compile.ts";
import type { FilterSpec } from "../filters/spec.ts";

/** What happens to a message on which a stage failed: it is dropped, or goes on unchanged. */
export type OnFailure = "block" | "pass";

export interface FilterStage {
  readonly kind: "filter";
  /** Unique in the chain. */
  readonly id: string;
  readonly onFailure: OnFailure;
  /**
   * True to let the message pass.
   *
   * @throws RemoraError the stage failed; the chain acts by `onFailure`
   */
  decide(message: CotMessage): boolean;
  /**
   * For a stage that is cheaper on many at once: a byte for each message, not 0 to let it pass. The array is
   * read before the next call. When it throws, the chain asks for each message alone, to find the one at fault.
   * Looked at for each batch: a plugin's next version may take them otherwise.
   */
  readonly decideBatch?: ((messages: readonly CotMessage[]) => Uint8Array) | undefined;
  /** In place of both, as `decideBatch`, for a stage that answers later. Looked at for each batch too. */
  readonly decideLater?: ((messages: readonly CotMessage[]) => Promise<Uint8Array>) | undefined;
}

export interface TransformerStage {
  readonly kind: "transformer";
  readonly id: string;
  readonly onFailure: OnFailure;
  /**
   * The message that goes on: a new one, or the same object when nothing is to change.
   *
   * @throws RemoraError the stage failed; the chain acts by `onFailure`
   */
  transform(message: CotMessage): CotMessage;
  /** In its place, for a stage that answers later. */
  readonly transformLater?: ((message: CotMessage) => Promise<CotMessage>) | undefined;
}

export type Stage = FilterStage | TransformerStage;

/** Whether a stage has to be waited for. */
export function answersLater(stage: Stage): boolean {
  return (stage.kind === "filter" ? stage.decideLater : stage.transformLater) !== undefined;
}

/**
 * A native filter as a stage.
 *
 * @throws tak/filter-pattern and tak/filter-range as `compileFilter`
 */
export function nativeStage(id: string, spec: FilterSpec, onFailure: OnFailure = "block"): FilterStage {
  return { kind: "filter", id, onFailure, decide: compileFilter(spec) };
}
