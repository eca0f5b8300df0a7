/**
 * The shapes that a TAK plugin may have, and how the chain calls each: OmniTAK's own filter and transformer, and
 * Remora's lazy, batch and column filters. A plugin says which it is by what it exports.
 */

import type { Instance } from "remora/engine";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import { LentMessage } from "./lent-message.ts";

/** Interfaces by which a plugin is recognised, in the order of preference where it exports several. */
export const filterInterfaces = {
  lazy: "remora:tak/lazy@0.1.0",
  record: "omnitak:plugin/filter@0.1.0",
  columns: "remora:tak/columns@0.1.0",
  batch: "remora:tak/batch@0.1.0",
} as const;

/** By world, which of them a guest of it must export; in the same order. */
export const filterExports: ReadonlyMap<string, string> = new Map([
  ["remora:tak/lazy-filter@0.1.0", filterInterfaces.lazy],
  ["omnitak:plugin/filter-plugin@0.1.0", filterInterfaces.record],
  ["remora:tak/column-filter@0.1.0", filterInterfaces.columns],
  ["remora:tak/batch-filter@0.1.0", filterInterfaces.batch],
]);

export const filterWorlds: readonly string[] = [...filterExports.keys()];

/** Those of filters that are cheaper on many messages at once. */
export const batchWorlds: ReadonlySet<string> = new Set(filterWorlds.slice(2));

export const transformerWorld = "omnitak:plugin/transformer-plugin@0.1.0";

export const transformerInterface = "omnitak:plugin/transformer@0.1.0";

/** Of all worlds, in the order in which a component without a manifest is looked at. */
export const worldExports: ReadonlyMap<string, string> = new Map([
  ...filterExports,
  [transformerWorld, transformerInterface],
]);

/** Exported besides, by a plugin that takes settings. */
export const settingsInterface = "remora:plugin/settings@0.1.0";

type FilterResult = "pass" | "block";

/** What a filter says about itself; the same in all four shapes. */
export interface FilterMetadata {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly author: string;
  readonly description: string;
  readonly maxExecutionTimeUs: bigint;
}

export interface TransformerMetadata extends Omit<FilterMetadata, "maxExecutionTimeUs"> {
  readonly supportedTypes: readonly string[];
}

/** A filter of any shape, bound to one instance. */
export interface FilterCalls {
  /** Which of the two the instance answers at less cost; the other goes through it. */
  readonly prefersBatch: boolean;
  decide(message: CotMessage): boolean;
  decideBatch(messages: readonly CotMessage[]): Uint8Array;
  metadata(): FilterMetadata;
}

export interface TransformerCalls {
  canTransform(cotType: string): boolean;
  transform(xml: Uint8Array): Uint8Array;
  metadata(): TransformerMetadata;
}

/** `cot-message`, filled anew for each call: lowering copies it, so one object serves for life. */
export class Record {
  cotType = "";
  uid = "";
  callsign: string | undefined;
  group: string | undefined;
  team: string | undefined;
  lat = 0.5;
  lon = 0.5;
  hae: number | undefined;
  time = "";
  xmlPayload: string | undefined;

  fill(message: CotMessage, givesXml: boolean): this {
    this.cotType = message.type;
    this.uid = message.uid;
    this.callsign = message.callsign;
    this.group = message.groupName;
    this.team = message.groupName;
    this.lat = message.lat;
    this.lon = message.lon;
    this.hae = message.hae;
    this.time = message.time;
    this.xmlPayload = givesXml ? message.xml() : undefined;
    return this;
  }
}

/**
 * Finds a filter among the exports of a fresh instance.
 *
 * @throws tak/plugin-shape it exports no filter that this host knows, or not all of one
 */
export function bindFilter(id: string, instance: Instance, givesXml: boolean): FilterCalls {
  const found = (name: string, ...functions: string[]) =>
    wholeInterface(id, instance, name, [...functions, "getMetadata"]);
  const lazy = found(filterInterfaces.lazy, "evaluate");
  if (lazy !== undefined) return new LazyFilter(lazy, givesXml);
  const record = found(filterInterfaces.record, "evaluate");
  if (record !== undefined) return new RecordFilter(record, givesXml);
  const columns = found(filterInterfaces.columns, "evaluateColumns");
  if (columns !== undefined) return new ColumnFilter(columns);
  const batch = found(filterInterfaces.batch, "evaluateBatch");
  if (batch !== undefined) return new BatchFilter(batch, givesXml);
  throw wrongShape(id, instance, Object.values(filterInterfaces));
}

/**
 * Finds a transformer among the exports of a fresh instance.
 *
 * @throws tak/plugin-shape it exports none, or not all of one
 */
export function bindTransformer(id: string, instance: Instance): TransformerCalls {
  const names = ["canTransform", "transform", "getMetadata"];
  const found = wholeInterface(id, instance, transformerInterface, names);
  if (found === undefined) throw wrongShape(id, instance, [transformerInterface]);
  return {
    canTransform: found.canTransform as TransformerCalls["canTransform"],
    transform: found.transform as TransformerCalls["transform"],
    metadata: found.getMetadata as TransformerCalls["metadata"],
  };
}

/** The functions of an exported interface, or undefined when there is none of that name. */
export function exportedInterface(instance: Instance, name: string): Functions | undefined {
  const found: unknown = (instance.exports as { readonly [name: string]: unknown })[name];
  // The component layer makes an object of functions for each exported interface.
  return typeof found === "object" && found !== null ? (found as Functions) : undefined;
}

/**
 * The interface's name stands for the types of its functions, which are in its WIT and nowhere in TypeScript: whoever
 * takes one out says what it is.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Functions = { readonly [name: string]: any };

/** An interface with all functions that this host will call; one that lacks some is a plugin's mistake. */
function wholeInterface(id: string, instance: Instance, name: string, functions: readonly string[]) {
  const found = exportedInterface(instance, name);
  if (found === undefined || functions.every((each) => typeof found[each] === "function")) return found;
  throw wrongShape(
    id,
    instance,
    functions.map((each) => `${name}#${each}`),
  );
}

function wrongShape(id: string, instance: Instance, wanted: readonly string[]) {
  return takErrors["plugin-shape"]({ plugin: id, wanted, found: Object.keys(instance.exports) });
}

/** The guest's own world may have another type of that name: what it answers is no verdict then. */
function isPass(verdict: unknown): boolean {
  if (verdict !== "pass" && verdict !== "block") {
    throw takErrors["plugin-answer"]({ wanted: '"pass" or "block"', found: typeof verdict });
  }
  return verdict === "pass";
}

class RecordFilter implements FilterCalls {
  readonly prefersBatch = false;
  readonly #evaluate: (message: Record) => FilterResult;
  readonly #record = new Record();
  readonly #givesXml: boolean;
  readonly metadata: () => FilterMetadata;

  constructor(functions: Functions, givesXml: boolean) {
    this.#evaluate = functions.evaluate;
    this.metadata = functions.getMetadata;
    this.#givesXml = givesXml;
  }

  decide(message: CotMessage): boolean {
    return isPass(this.#evaluate(this.#record.fill(message, this.#givesXml)));
  }

  decideBatch(messages: readonly CotMessage[]): Uint8Array {
    return Uint8Array.from(messages, (message) => Number(this.decide(message)));
  }
}

class LazyFilter implements FilterCalls {
  readonly prefersBatch = false;
  readonly #evaluate: (message: LentMessage) => FilterResult;
  readonly #lent: LentMessage;
  readonly metadata: () => FilterMetadata;

  constructor(functions: Functions, givesXml: boolean) {
    this.#evaluate = functions.evaluate;
    this.metadata = functions.getMetadata;
    this.#lent = new LentMessage({ handsOutXml: givesXml });
  }

  decide(message: CotMessage): boolean {
    this.#lent.event = message;
    const verdict = this.#evaluate(this.#lent);
    this.#lent.event = undefined;
    return isPass(verdict);
  }

  decideBatch(messages: readonly CotMessage[]): Uint8Array {
    return Uint8Array.from(messages, (message) => Number(this.decide(message)));
  }
}

class BatchFilter implements FilterCalls {
  readonly prefersBatch = true;
  readonly #evaluate: (messages: readonly Record[]) => readonly FilterResult[];
  readonly #records: Record[] = [];
  readonly #givesXml: boolean;
  readonly metadata: () => FilterMetadata;

  constructor(functions: Functions, givesXml: boolean) {
    this.#evaluate = functions.evaluateBatch;
    this.metadata = functions.getMetadata;
    this.#givesXml = givesXml;
  }

  decide(message: CotMessage): boolean {
    return this.decideBatch([message])[0] === 1;
  }

  decideBatch(messages: readonly CotMessage[]): Uint8Array {
    this.#records.length = Math.min(this.#records.length, messages.length);
    for (const [index, message] of messages.entries()) {
      const record = this.#records[index] ?? new Record();
      this.#records[index] = record.fill(message, this.#givesXml);
    }
    return verdictBytes(this.#evaluate(this.#records), messages.length);
  }
}

/** Positions of many events; grown to the largest batch seen, and filled anew for each call. */
export class Columns {
  lats = new Float64Array(0);
  lons = new Float64Array(0);
  haes = new Float64Array(0);

  /** Indexed loops: an iterator costs as much as the guest's decision. */
  fill(messages: readonly CotMessage[]): { lats: Float64Array; lons: Float64Array; haes: Float64Array } {
    const count = messages.length;
    if (count > this.lats.length) {
      this.lats = new Float64Array(count);
      this.lons = new Float64Array(count);
      this.haes = new Float64Array(count);
    }
    const { lats, lons, haes } = this;
    for (let index = 0; index < count; index++) {
      // The loop ends at the length, so there is a message.
      const message = messages[index] as CotMessage;
      lats[index] = message.lat;
      lons[index] = message.lon;
      haes[index] = message.hae ?? Number.NaN;
    }
    return { lats: lats.subarray(0, count), lons: lons.subarray(0, count), haes: haes.subarray(0, count) };
  }
}

class ColumnFilter implements FilterCalls {
  readonly prefersBatch = true;
  readonly #evaluate: (positions: ReturnType<Columns["fill"]>) => readonly FilterResult[];
  readonly #columns = new Columns();
  readonly metadata: () => FilterMetadata;

  constructor(functions: Functions) {
    this.#evaluate = functions.evaluateColumns;
    this.metadata = functions.getMetadata;
  }

  decide(message: CotMessage): boolean {
    return this.decideBatch([message])[0] === 1;
  }

  decideBatch(messages: readonly CotMessage[]): Uint8Array {
    return verdictBytes(this.#evaluate(this.#columns.fill(messages)), messages.length);
  }
}

/** The guest chose how many verdicts there are: too few are a failure, and what is too much is cut. */
export function verdictBytes(verdicts: unknown, count: number): Uint8Array {
  if (!Array.isArray(verdicts) || verdicts.length < count) {
    const found = Array.isArray(verdicts) ? `${verdicts.length}` : typeof verdicts;
    throw takErrors["plugin-answer"]({ wanted: `${count} verdicts`, found });
  }
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index++) bytes[index] = isPass(verdicts[index]) ? 1 : 0;
  return bytes;
}
