/**
 * The form of a delta: which names it has, in which order, and which leaves of a template belong to them. Another delta of the
 * same form is put into the template by walking through it.
 *
 * The same steps stand here several times, on purpose: V8 learns classes of objects for each function, and those of deltas, of
 * updates, of their values and of everything else together are too many for one. And what Signal K names is read by that
 * name: by one that a variable has it takes five times as long.
 */

import { isRecord } from "./delta.ts";
import type { Leaf, Shape } from "./text-draft.ts";
import type { TextTemplate } from "./text-template.ts";

export interface DeltaForm {
  readonly names: readonly string[];
  readonly context: Leaf | undefined;
  readonly updates: readonly UpdateForm[] | undefined;
  readonly others: readonly NamedShape[];
}

interface UpdateForm {
  readonly names: readonly string[];
  readonly source: Leaf | undefined;
  readonly timestamp: Leaf | undefined;
  readonly values: readonly PairForm[] | undefined;
  readonly others: readonly NamedShape[];
}

/** A path and its value. */
interface PairForm {
  readonly path: Leaf;
  readonly value: Shape;
}

/** What a delta or an update has besides, or has otherwise than Signal K says. */
interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}

export function deltaForm(shape: Shape): DeltaForm {
  const { names } = shape;
  const context = partOf(shape, "context")?.leaf;
  const updates = formsOf(partOf(shape, "updates"), updateForm);
  const known = [context && "context", updates && "updates"];
  return { names, context, updates, others: partsBut(known, shape) };
}

function updateForm(shape: Shape): UpdateForm | undefined {
  if (shape.leaf !== undefined || shape.isList) return undefined;
  const { names } = shape;
  const source = partOf(shape, "$source")?.leaf;
  const timestamp = partOf(shape, "timestamp")?.leaf;
  const values = formsOf(partOf(shape, "values"), pairForm);
  const known = [source && "$source", timestamp && "timestamp", values && "values"];
  return { names, source, timestamp, values, others: partsBut(known, shape) };
}

function pairForm({ names, parts: [path, value] }: Shape): PairForm | undefined {
  if (names.join() !== "path,value" || path?.leaf === undefined || value === undefined) return undefined;
  return { path: path.leaf, value };
}

function partOf({ names, parts }: Shape, name: string): Shape | undefined {
  return parts[names.indexOf(name)];
}

/** Those of a list, when all of them have one. */
function formsOf<Form>(
  list: Shape | undefined,
  formOf: (part: Shape) => Form | undefined,
): Form[] | undefined {
  if (list?.isList !== true) return undefined;
  const forms = list.parts.map(formOf).filter((form) => form !== undefined);
  return forms.length === list.parts.length ? forms : undefined;
}

function partsBut(known: readonly (string | undefined)[], { names, parts }: Shape): NamedShape[] {
  const all = parts.map((shape, index) => ({ name: names[index] as string, shape }));
  return all.filter(({ name }) => !known.includes(name));
}

const plain = Object.prototype;

/** @returns false for a delta of another form: its leaves are put up to there */
export function putDelta(template: TextTemplate, form: DeltaForm, delta: unknown): boolean {
  if (!isRecord(delta) || delta.toJSON !== undefined || Object.getPrototypeOf(delta) !== plain) return false;
  const { names, context, updates, others } = form;
  if (!hasNames(delta, names)) return false;
  if (context !== undefined && !template.put(context, delta.context)) return false;
  if (updates !== undefined && !putUpdates(template, updates, delta.updates)) return false;
  return putOthers(template, others, delta);
}

function putUpdates(template: TextTemplate, forms: readonly UpdateForm[], updates: unknown): boolean {
  if (!isListOf(forms.length, updates)) return false;
  for (let index = 0; index < forms.length; index++) {
    if (!putUpdate(template, forms[index] as UpdateForm, updates[index])) return false;
  }
  return true;
}

function putUpdate(template: TextTemplate, form: UpdateForm, update: unknown): boolean {
  if (!isRecord(update) || update.toJSON !== undefined || Object.getPrototypeOf(update) !== plain)
    return false;
  const { names, source, timestamp, values, others } = form;
  if (!hasNames(update, names)) return false;
  if (source !== undefined && !template.put(source, update.$source)) return false;
  if (timestamp !== undefined && !template.put(timestamp, update.timestamp)) return false;
  if (values !== undefined && !putPairs(template, values, update.values)) return false;
  return putOthers(template, others, update);
}

function putPairs(template: TextTemplate, forms: readonly PairForm[], pairs: unknown): boolean {
  if (!isListOf(forms.length, pairs)) return false;
  for (let index = 0; index < forms.length; index++) {
    if (!putPair(template, forms[index] as PairForm, pairs[index])) return false;
  }
  return true;
}

const pairNames = ["path", "value"];

function putPair(template: TextTemplate, { path, value }: PairForm, pair: unknown): boolean {
  if (!isRecord(pair) || pair.toJSON !== undefined || Object.getPrototypeOf(pair) !== plain) return false;
  if (!hasNames(pair, pairNames) || !template.put(path, pair.path)) return false;
  return value.leaf === undefined
    ? putAny(template, value, pair.value)
    : template.put(value.leaf, pair.value);
}

function putOthers(
  template: TextTemplate,
  others: readonly NamedShape[],
  record: Readonly<Record<string, unknown>>,
): boolean {
  for (let index = 0; index < others.length; index++) {
    const { name, shape } = others[index] as NamedShape;
    if (!putAny(template, shape, record[name])) return false;
  }
  return true;
}

function putAny(template: TextTemplate, shape: Shape, value: unknown): boolean {
  const { leaf, isList, names, parts } = shape;
  if (leaf !== undefined) return template.put(leaf, value);
  if (isList) return putList(template, parts, value);
  if (!isRecord(value) || value.toJSON !== undefined || Object.getPrototypeOf(value) !== plain) return false;
  let index = 0;
  for (const name in value) {
    const part = parts[index];
    if (part === undefined || names[index++] !== name) return false;
    if (
      part.leaf === undefined ? !putAny(template, part, value[name]) : !template.put(part.leaf, value[name])
    )
      return false;
  }
  return index === names.length;
}

function putList(template: TextTemplate, parts: readonly Shape[], list: unknown): boolean {
  return isListOf(parts.length, list) && parts.every((part, index) => putAny(template, part, list[index]));
}

/** Whether these are its names, in this order, and it has no others. */
function hasNames(record: object, names: readonly string[]): boolean {
  let count = 0;
  for (const name in record) if (names[count++] !== name) return false;
  return count === names.length;
}

function isListOf(length: number, list: unknown): list is readonly unknown[] {
  return Array.isArray(list) && list.length === length && toJsonOf(list) === undefined;
}

/** Where somebody has given one to lists. */
function toJsonOf(list: object): unknown {
  // Any object may have one.
  return (list as { readonly toJSON?: unknown }).toJSON;
}
