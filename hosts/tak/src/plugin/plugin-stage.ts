/** A WebAssembly plugin as a stage of the chain: managed, or opened from its bytes and kept for as long as the stage. */

import { isRemoraError } from "remora/base";
import { ComponentError } from "remora/component";
import { type Instance, type Limits, openArtifact } from "remora/engine";
import { type ManagedPlugin, Plugin, type PluginMetrics } from "remora/manager";
import { type Grant, harmless } from "remora/policy";
import { type Sandbox, sandboxImports } from "remora/sandbox";
import type { FilterStage, OnFailure, Stage, TransformerStage } from "../chain/stage.ts";
import { takVocabulary } from "../config/plugins.ts";
import { readMessage } from "../cot/event-decoder.ts";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import type { ChainPlugin } from "./chain-plugin.ts";
import { type TakHostOptions, takHostImports } from "./host-functions.ts";
import {
  batchWorlds,
  bindFilter,
  bindTransformer,
  exportedInterface,
  type FilterCalls,
  settingsInterface,
  type TransformerCalls,
} from "./shapes.ts";
import type { WalledFilterCalls, WalledTransformerCalls } from "./walled-shapes.ts";

/** Where a plugin stands in the chain, and what a call of it that fails means. */
export interface StagePlace {
  /** Of the stage, unique in the chain. */
  readonly id: string;
  readonly kind: "filter" | "transformer";
  readonly onFailure: OnFailure;
}

export interface PluginStageOptions extends StagePlace {
  /** A component of one of the known shapes. */
  readonly bytes: Uint8Array;
  /** One JSON value for a plugin that exports `remora:plugin/settings`; undefined for none. */
  readonly settings?: unknown;
  readonly limits: Limits;
  /** What it may do beyond the host's own functions. */
  readonly grants: readonly Grant[];
  /** Whether a filter gets the event's whole XML. */
  readonly givesXml: boolean;
  readonly host: TakHostOptions;
}

/** A stage with a plugin of its own. */
export type PluginStage = Stage & { metrics(): PluginMetrics; close(): void };

/**
 * Opens a plugin, makes its first instance and asks it to describe itself.
 *
 * @throws wasm/… component/…     the bytes are malformed or of a kind that is not supported
 * @throws policy/imports-refused it wants what this host neither has nor was told to grant
 * @throws tak/plugin-shape       it is no filter or transformer that this host knows
 * @throws engine/…               it failed when it was started or asked
 */
export function openPluginStage(options: PluginStageOptions): PluginStage {
  const { id, givesXml } = options;
  if (options.kind === "transformer") {
    const plugin = new TakPlugin(options, (instance) => bindTransformer(id, instance));
    plugin.call(describe, undefined);
    const call: Call<TransformerCalls> = (use, argument) => plugin.call(use, argument);
    return owned(
      transformerStage(options, call, () => plugin),
      plugin,
    );
  }
  const plugin = new TakPlugin(options, (instance) => bindFilter(id, instance, givesXml));
  plugin.call(describe, undefined);
  const takesBatches = plugin.call(prefersBatch, undefined);
  return owned(
    filterStage(
      options,
      (use, argument) => plugin.call(use, argument),
      () => takesBatches,
    ),
    plugin,
  );
}

function owned(stage: Stage, plugin: Pick<Plugin<unknown>, "metrics" | "close">): PluginStage {
  // A copy of the properties would call the getters.
  return Object.assign(stage, { metrics: () => plugin.metrics, close: () => plugin.close() });
}

/**
 * A managed plugin as a stage: whatever its manager makes of it meanwhile, the next message goes to the version
 * that serves then, on this thread or behind a wall. While there is none, each message fails.
 */
export function managedStage(place: StagePlace, installed: Pick<ChainPlugin, "plugin">): Stage {
  const serving = () => installed.plugin.serving;
  const isWalled = () => {
    const version = serving();
    return version !== undefined && version.inline === undefined;
  };
  if (place.kind === "transformer") {
    // The host's binding refuses others in this place; walled ones are called only while it is behind a wall.
    const transformer = () => installed.plugin as ManagedPlugin<TransformerCalls>;
    const walled = () => installed.plugin as ManagedPlugin<WalledTransformerCalls>; // as above
    const later = (message: CotMessage) => transformLater(place.id, walled(), message);
    return transformerStage(
      place,
      (use, argument) => transformer().use(use, argument),
      serving,
      () => (isWalled() ? later : undefined),
    );
  }
  const filter = () => installed.plugin as ManagedPlugin<FilterCalls>; // as above
  const walled = () => installed.plugin as ManagedPlugin<WalledFilterCalls>; // as above
  const later = (messages: readonly CotMessage[]) => walled().useAsync(decideWalled, messages);
  return filterStage(
    place,
    (use, argument) => filter().use(use, argument),
    () => batchWorlds.has(serving()?.inspected.world.world ?? ""),
    () => (isWalled() ? later : undefined),
  );
}

/** Makes one call: of a plugin that the stage has, or of the version that serves. */
type Call<Calls> = <Argument, Result>(
  use: (calls: Calls, argument: Argument) => Result,
  argument: Argument,
) => Result;

const describe = (calls: { metadata(): unknown }) => void calls.metadata();
const prefersBatch = (calls: FilterCalls) => calls.prefersBatch;
const decide = (calls: FilterCalls, message: CotMessage) => calls.decide(message);
const decideBatch = (calls: FilterCalls, messages: readonly CotMessage[]) => calls.decideBatch(messages);

function filterStage(
  { id, onFailure }: StagePlace,
  call: Call<FilterCalls>,
  takesBatches: () => boolean,
  later: () => FilterStage["decideLater"] = () => undefined,
): FilterStage {
  const ofBatch = (messages: readonly CotMessage[]) => call(decideBatch, messages);
  return {
    kind: "filter",
    id,
    onFailure,
    decide: (message) => call(decide, message),
    // Asked each time: the next version may be of another shape.
    get decideBatch() {
      return takesBatches() ? ofBatch : undefined;
    },
    get decideLater() {
      return later();
    },
  };
}

const decideWalled = (calls: WalledFilterCalls, messages: readonly CotMessage[]) =>
  calls.decideBatch(messages);

const canTransform = (calls: TransformerCalls, cotType: string) => calls.canTransform(cotType);
const transform = (calls: TransformerCalls, xml: Uint8Array) => calls.transform(xml);

/** Types are few; a stream that makes up new ones all the time starts the memory afresh. */
const typesMax = 1_024;

function transformerStage(
  { id, onFailure }: StagePlace,
  call: Call<TransformerCalls>,
  version: () => unknown,
  later: () => TransformerStage["transformLater"] = () => undefined,
): TransformerStage {
  const wanted = new Map<string, boolean>();
  let asked = version();
  const wants = (cotType: string) => {
    if (asked !== version()) {
      asked = version();
      wanted.clear();
    }
    let answer = wanted.get(cotType);
    if (answer === undefined) {
      answer = call(canTransform, cotType);
      if (wanted.size >= typesMax) wanted.clear();
      wanted.set(cotType, answer);
    }
    return answer;
  };
  return {
    kind: "transformer",
    id,
    onFailure,
    transform(message) {
      if (!wants(message.type)) return message;
      const before = message.bytes("xml");
      try {
        return afterTransform(id, message, before, call(transform, before));
      } catch (error) {
        throw refusal(id, error);
      }
    },
    get transformLater() {
      return later();
    },
  };
}

/** The guest is asked each time whether it wants the type: what it said before a wall may be of another version. */
async function transformLater(
  id: string,
  plugin: ManagedPlugin<WalledTransformerCalls>,
  message: CotMessage,
): Promise<CotMessage> {
  const before = message.bytes("xml");
  try {
    const after = await plugin.useAsync(transformWalled, { cotType: message.type, xml: before });
    return after === undefined ? message : afterTransform(id, message, before, after);
  } catch (error) {
    throw refusal(id, error);
  }
}

const transformWalled = async (
  calls: WalledTransformerCalls,
  { cotType, xml }: { readonly cotType: string; readonly xml: Uint8Array },
) => ((await calls.canTransform(cotType)) ? calls.transform(xml) : undefined);

function afterTransform(id: string, message: CotMessage, before: Uint8Array, after: Uint8Array): CotMessage {
  return Buffer.compare(after, before) === 0 ? message : readTransformed(id, after);
}

/** The world's `err` is a transformer's word on why it cannot; anything else stays what it is. */
function refusal(id: string, error: unknown): unknown {
  if (!(error instanceof ComponentError)) return error;
  return takErrors["transform-refused"]({ plugin: id, reason: harmless(String(error.payload), 500) }, error);
}

/** What a guest made goes to other clients, so it is read as strictly as what comes from the network. */
function readTransformed(plugin: string, bytes: Uint8Array): CotMessage {
  try {
    return readMessage(bytes);
  } catch (error) {
    if (!isRemoraError(error)) throw error;
    throw takErrors["transform-result"]({ plugin, reason: error.message }, error);
  }
}

/**
 * Hands a fresh instance the operator's settings.
 *
 * @throws tak/plugin-settings it refuses them, or takes none
 */
function configure({ id, settings }: PluginStageOptions, instance: Instance): void {
  if (settings === undefined) return;
  const functions = exportedInterface(instance, settingsInterface);
  if (functions === undefined) {
    throw takErrors["plugin-settings"]({ plugin: id, reason: `it does not export "${settingsInterface}"` });
  }
  try {
    functions.configure(JSON.stringify(settings));
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    throw takErrors["plugin-settings"]({ plugin: id, reason: harmless(String(error.payload), 500) }, error);
  }
}

/** A plugin and the sandbox that is its own. */
class TakPlugin<Calls> extends Plugin<Calls> {
  readonly #sandbox: Sandbox;

  constructor(options: PluginStageOptions, bind: (instance: Instance) => Calls) {
    const { id, bytes, limits, grants, host } = options;
    const sandbox = sandboxImports({
      plugin: id,
      grants,
      vocabulary: takVocabulary,
      audit: host.audit ?? { write: () => {} },
      nowMs: host.nowMs,
      log: { write: ({ level, text }) => host.log(id, level === "critical" ? "error" : level, text) },
    });
    super({
      id,
      artifact: openArtifact(bytes, { plugin: id }),
      limits,
      sandbox,
      hostImports: takHostImports(id, host),
      bind: (instance) => {
        configure(options, instance);
        return bind(instance);
      },
    });
    this.#sandbox = sandbox;
  }

  override close(): void {
    super.close();
    this.#sandbox.close();
  }
}
