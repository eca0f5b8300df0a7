/**
 * The full model (specification 1.7, "Full format"): the last value of each path of each context, with where it came
 * from and when. Kept flat, by path, since deltas are many and questions few; the tree is built when one asks.
 */

import { isRecord, type PathValue, type StampedDelta, type StampedUpdate } from "../delta/delta.ts";
import { valueAt } from "./value-at.ts";

export interface ModelLimits {
  readonly contextsMax: number;
  /** Of one context. */
  readonly pathsMax: number;
  /** That gave a value to one path. */
  readonly sourcesMax: number;
}

export const modelLimitsDefault: ModelLimits = { contextsMax: 5_000, pathsMax: 5_000, sourcesMax: 32 };

interface SourcedValue {
  readonly value: unknown;
  readonly timestamp: string;
}

interface Leaf {
  value: unknown;
  source: string;
  timestamp: string;
  meta: Readonly<Record<string, unknown>> | undefined;
  /** By source; made when a second one gives the same path. */
  values: Map<string, SourcedValue> | undefined;
  hasValue: boolean;
}

interface Context {
  readonly leaves: Map<string, Leaf>;
  /** What was given for the empty path: name, mmsi and the like. */
  readonly root: Map<string, unknown>;
}

export class Model {
  readonly selfContext: string;
  readonly #limits: ModelLimits;
  readonly #contexts = new Map<string, Context>();
  readonly #sources = new Map<string, Readonly<Record<string, unknown>>>();
  #refused = 0;

  /** @param selfContext `vessels.urn:mrn:signalk:uuid:…`; what `vessels.self` stands for. */
  constructor(selfContext: string, limits: Partial<ModelLimits> = {}) {
    this.selfContext = selfContext;
    this.#limits = { ...modelLimitsDefault, ...limits };
  }

  /** Values that found no place, since a limit was reached. */
  get refusedCount(): number {
    return this.#refused;
  }

  /** `vessels.self`, and a delta without a context, mean the vessel that this server is on. */
  contextOf(context: string | undefined): string {
    return context === undefined || context === "vessels.self" || context === "" ? this.selfContext : context;
  }

  apply(delta: StampedDelta): void {
    const context = this.#context(delta.context);
    for (const update of delta.updates) {
      this.#keepSource(update);
      const { values, meta } = update;
      if (values !== undefined) for (const item of values) this.#setValue(context, item, update);
      if (meta !== undefined) for (const item of meta) this.#setMeta(context, item);
    }
  }

  /** The value with its source and time; undefined when nothing was said about the path. */
  leaf(context: string, path: string): Record<string, unknown> | undefined {
    const leaf = this.#contexts.get(this.contextOf(context))?.leaves.get(path);
    return leaf === undefined ? undefined : leafJson(leaf);
  }

  /** The last values of all paths of a context, for someone who starts to listen. */
  *latest(context: string): Iterable<StampedUpdate> {
    const found = this.#contexts.get(context);
    if (found === undefined) return;
    for (const [path, leaf] of found.leaves) {
      if (!leaf.hasValue) continue;
      yield { $source: leaf.source, timestamp: leaf.timestamp, values: [{ path, value: leaf.value }] };
    }
  }

  contexts(): Iterable<string> {
    return this.#contexts.keys();
  }

  /**
   * The tree below a place.
   *
   * @param parts `["vessels", "self", "navigation", "position", "value"]`; all of the model when empty.
   * @returns     JSON, or undefined when there is nothing.
   */
  tree(parts: readonly string[]): unknown {
    const [group, id, ...rest] = parts;
    if (group === undefined) return this.#wholeTree();
    if (group === "self" && id === undefined) return this.selfContext;
    if (group === "sources") return valueAt(this.#sourcesTree(), parts.slice(1));
    if (id === undefined) return this.#groupTree(group);
    const context = this.contextOf(`${group}.${id}`);
    const found = this.#contexts.get(context);
    return found === undefined ? undefined : this.#contextTree(context, found, rest);
  }

  #wholeTree(): Record<string, unknown> {
    const tree = emptyTree();
    tree.version = "1.7.0";
    tree.self = this.selfContext;
    for (const context of this.#contexts.keys()) {
      const group = context.slice(0, context.indexOf("."));
      tree[group] ??= this.#groupTree(group);
    }
    tree.sources = this.#sourcesTree();
    return tree;
  }

  #groupTree(group: string): Record<string, unknown> | undefined {
    let tree: Record<string, unknown> | undefined;
    for (const [name, context] of this.#contexts) {
      if (!name.startsWith(`${group}.`)) continue;
      tree ??= emptyTree();
      tree[name.slice(group.length + 1)] = this.#contextTree(name, context, []);
    }
    return tree;
  }

  #contextTree(name: string, context: Context, parts: readonly string[]): unknown {
    const prefix = parts.join(".");
    const tree = new Tree();
    for (const [path, leaf] of context.leaves) {
      const isBelow = prefix === "" || path === prefix || path.startsWith(`${prefix}.`);
      // A question may also lead into a leaf: "…/position/value/latitude".
      const isInside = !isBelow && prefix.startsWith(`${path}.`);
      if (!isBelow && !isInside) continue;
      tree.place(path.split("."), leafJson(leaf));
    }
    if (parts.length === 0) {
      for (const [key, value] of context.root) tree.root[key] ??= value;
      if (name === this.selfContext) tree.root.uuid ??= uuidOf(name);
    }
    return valueAt(tree.root, parts) ?? (parts.length === 1 ? context.root.get(prefix) : undefined);
  }

  #sourcesTree(): Record<string, unknown> {
    const tree = new Tree();
    for (const [name, details] of this.#sources) tree.place(name.split("."), { ...details });
    return tree.root;
  }

  #context(name: string): Context | undefined {
    let context = this.#contexts.get(name);
    if (context === undefined && this.#contexts.size < this.#limits.contextsMax) {
      context = { leaves: new Map(), root: new Map() };
      this.#contexts.set(name, context);
    }
    return context;
  }

  #setValue(context: Context | undefined, { path, value }: PathValue, update: StampedUpdate): void {
    if (path === "") {
      this.#setRoot(context, value);
      return;
    }
    const leaf = this.#leaf(context, path);
    if (leaf === undefined) return;
    const { $source, timestamp } = update;
    if (leaf.hasValue && leaf.source !== $source) {
      leaf.values ??= new Map([[leaf.source, { value: leaf.value, timestamp: leaf.timestamp }]]);
    }
    if (
      leaf.values !== undefined &&
      (leaf.values.has($source) || leaf.values.size < this.#limits.sourcesMax)
    ) {
      leaf.values.set($source, { value, timestamp });
    }
    leaf.value = value;
    leaf.source = $source;
    leaf.timestamp = timestamp;
    leaf.hasValue = true;
  }

  #setMeta(context: Context | undefined, { path, value }: PathValue): void {
    const leaf = this.#leaf(context, path);
    if (leaf !== undefined && isRecord(value)) leaf.meta = { ...leaf.meta, ...value };
  }

  /** An object for the empty path names attributes of the vessel itself. */
  #setRoot(context: Context | undefined, value: unknown): void {
    if (context === undefined || !isRecord(value)) {
      this.#refused++;
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      if (context.root.has(key) || context.root.size < this.#limits.pathsMax) context.root.set(key, item);
      else this.#refused++;
    }
  }

  #leaf(context: Context | undefined, path: string): Leaf | undefined {
    let leaf = context?.leaves.get(path);
    if (leaf === undefined && context !== undefined && context.leaves.size < this.#limits.pathsMax) {
      leaf = { value: null, source: "", timestamp: "", meta: undefined, values: undefined, hasValue: false };
      context.leaves.set(path, leaf);
    }
    if (leaf === undefined) this.#refused++;
    return leaf;
  }

  #keepSource({ $source, source }: StampedUpdate): void {
    if (this.#sources.has($source) || this.#sources.size >= this.#limits.contextsMax) return;
    this.#sources.set($source, source ?? { label: $source, type: "Plugin" });
  }
}

function leafJson(leaf: Leaf): Record<string, unknown> {
  return {
    ...(leaf.meta !== undefined && { meta: leaf.meta }),
    ...(leaf.hasValue && { value: leaf.value, $source: leaf.source, timestamp: leaf.timestamp }),
    ...(leaf.values !== undefined && { values: Object.fromEntries(leaf.values) }),
  };
}

/** Without a prototype: the names are strangers', and "__proto__" is one of them. */
function emptyTree(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** A tree that is being built. What was placed in it stays whole: nothing is placed inside of a value. */
class Tree {
  readonly root = emptyTree();
  readonly #branches = new Set<unknown>([this.root]);

  place(parts: readonly string[], leaf: Record<string, unknown>): void {
    let at = this.root;
    for (const part of parts) {
      let next = at[part];
      if (next === undefined) {
        next = emptyTree();
        at[part] = next;
        this.#branches.add(next);
      }
      // A path that goes on below "value" or "meta" of another has no place in the full format.
      if (!isRecord(next) || !this.#branches.has(next)) return;
      at = next;
    }
    for (const [key, value] of Object.entries(leaf)) at[key] ??= value;
  }
}

/** The universal name of a vessel, without "vessels."; undefined for one that is known by its MMSI. */
function uuidOf(context: string): string | undefined {
  const name = context.slice(context.indexOf(".") + 1);
  return name.startsWith("urn:mrn:signalk:uuid:") ? name : undefined;
}
