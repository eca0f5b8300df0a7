/** A WebAssembly plugin as a stage of the chain. */

import { invariant, isRemoraError } from "remora/base";
import { ComponentError } from "remora/component";
import { type Instance, type Limits, openArtifact } from "remora/engine";
import { Plugin, type PluginMetrics } from "remora/manager";
import { type Grant, harmless } from "remora/policy";
import { type Sandbox, sandboxImports } from "remora/sandbox";
import type { FilterStage, OnFailure, TransformerStage } from "../chain/stage.ts";
import { takVocabulary } from "../config/plugins.ts";
import { readMessage } from "../cot/event-decoder.ts";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import { type TakHostOptions, takHostImports } from "./host-functions.ts";
import {
  bindFilter,
  bindTransformer,
  exportedInterface,
  type FilterCalls,
  type FilterMetadata,
  settingsInterface,
  type TransformerCalls,
  type TransformerMetadata,
} from "./shapes.ts";

export interface PluginStageOptions {
  readonly id: string;
  readonly kind: "filter" | "transformer";
  /** A component of one of the known shapes. */
  readonly bytes: Uint8Array;
  /** One JSON value for a plugin that exports `remora:plugin/settings`; undefined for none. */
  readonly settings?: unknown;
  readonly onFailure: OnFailure;
  readonly limits: Limits;
  /** What it may do beyond the host's own functions. */
  readonly grants: readonly Grant[];
  /** Whether a filter gets the event's whole XML. */
  readonly givesXml: boolean;
  readonly host: TakHostOptions;
}

interface PluginBacked {
  /** As the plugin describes itself. */
  readonly about: FilterMetadata | TransformerMetadata;
  metrics(): PluginMetrics;
  close(): void;
}

export type PluginStage = (FilterStage | TransformerStage) & PluginBacked;

/**
 * Opens a plugin, makes its first instance and asks it to describe itself.
 *
 * @throws wasm/… component/…     the bytes are malformed or of a kind that is not supported
 * @throws policy/imports-refused it wants what this host neither has nor was told to grant
 * @throws tak/plugin-shape       it is no filter or transformer that this host knows
 * @throws engine/…               it failed when it was started or asked
 */
export function openPluginStage(options: PluginStageOptions): PluginStage {
  return options.kind === "filter" ? openFilter(options) : openTransformer(options);
}

const decide = (calls: FilterCalls, message: CotMessage) => calls.decide(message);
const decideBatch = (calls: FilterCalls, messages: readonly CotMessage[]) => calls.decideBatch(messages);

function openFilter(options: PluginStageOptions): PluginStage {
  const { id, onFailure, givesXml } = options;
  let first: FilterCalls | undefined;
  let about: FilterMetadata | undefined;
  const plugin = new TakPlugin(options, (instance) => {
    const calls = bindFilter(id, instance, givesXml);
    first ??= calls;
    about ??= calls.metadata();
    return calls;
  });
  invariant(first !== undefined && about !== undefined, "opening a plugin makes its first instance");
  return {
    kind: "filter",
    id,
    onFailure,
    decide: (message) => plugin.call(decide, message),
    ...(first.prefersBatch && {
      decideBatch: (messages: readonly CotMessage[]) => plugin.call(decideBatch, messages),
    }),
    about,
    metrics: () => plugin.metrics,
    close: () => plugin.close(),
  };
}

const canTransform = (calls: TransformerCalls, cotType: string) => calls.canTransform(cotType);
const transform = (calls: TransformerCalls, xml: Uint8Array) => calls.transform(xml);

/** Types are few; a stream that makes up new ones all the time starts the memory afresh. */
const typesMax = 1_024;

function openTransformer(options: PluginStageOptions): PluginStage {
  const { id, onFailure } = options;
  let about: TransformerMetadata | undefined;
  const plugin = new TakPlugin(options, (instance) => {
    const calls = bindTransformer(id, instance);
    about ??= calls.metadata();
    return calls;
  });
  invariant(about !== undefined, "opening a plugin makes its first instance");
  const wanted = new Map<string, boolean>();
  const wants = (cotType: string) => {
    let answer = wanted.get(cotType);
    if (answer === undefined) {
      answer = plugin.call(canTransform, cotType);
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
      const after = transformed(plugin, before);
      return Buffer.compare(after, before) === 0 ? message : readTransformed(id, after);
    },
    about,
    metrics: () => plugin.metrics,
    close: () => plugin.close(),
  };
}

function transformed(plugin: Plugin<TransformerCalls>, xml: Uint8Array): Uint8Array {
  try {
    return plugin.call(transform, xml);
  } catch (error) {
    // The world's `err`: the transformer says in words why it cannot.
    if (!(error instanceof ComponentError)) throw error;
    throw takErrors["transform-refused"](
      { plugin: plugin.id, reason: harmless(String(error.payload), 500) },
      error,
    );
  }
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
      audit: host.audit,
      nowMs: host.nowMs,
      log: { write: ({ level, text }) => host.log(id, level === "critical" ? "error" : level, text) },
    });
    super({
      id,
      artifact: openArtifact(bytes, { plugin: id }),
      limits,
      grants,
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
