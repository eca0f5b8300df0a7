/**
 * Deltas as texts for guests. A boat says the same all the time with other numbers, so that the last delta about the same
 * paths is the template of the next. Bounded whatever is said: so many templates, and what comes in another shape again and
 * again is left to the platform for a while.
 */

import { isRecord } from "./delta.ts";
import { type Shape, TextTemplate } from "./text-template.ts";

const templatesMax = 128;
const valuesMax = 16;
/** Making a template takes ten times as long as writing one text, so that it is made again after so many misses in a row. */
const patienceMin = 4;
const patienceMax = 256;

interface Place {
  template: TextTemplate | undefined;
  /** Deltas in a row that had another shape, or none. */
  misses: number;
  /** Misses until a template is made: doubles with each that is made, and is one less with each delta that it fits. */
  patience: number;
}

export class DeltaTexts {
  /** By the first path, and by how many values there are: what has both in common has the shape, for the most part. */
  readonly #places = new Map<string, Place[]>();
  #count = 0;
  #isLent = false;

  /**
   * The JSON of a delta as UTF-16, two bytes a unit, the lower one first; nobody else's until `takeBack`.
   *
   * @returns undefined where `JSON.stringify` has to write it, and while another text is lent
   */
  lend(delta: object): Uint8Array | undefined {
    if (this.#isLent) return undefined;
    const bytes = this.#write(delta);
    this.#isLent = bytes !== undefined;
    return bytes;
  }

  takeBack(): void {
    this.#isLent = false;
  }

  #write(delta: object): Uint8Array | undefined {
    const place = this.#placeOf(delta);
    if (place === undefined) return undefined;
    const { template } = place;
    if (template !== undefined && putOuter(template, template.shape, delta)) {
      place.misses = 0;
      if (place.patience > patienceMin) place.patience--;
      return template.bytes;
    }
    if (++place.misses <= place.patience) return undefined;
    place.misses = 0;
    place.patience = Math.min(Math.max(2 * place.patience, patienceMin), patienceMax);
    place.template = TextTemplate.of(delta);
    return place.template?.bytes;
  }

  #placeOf(delta: { readonly updates?: unknown }): Place | undefined {
    const { updates } = delta;
    const values: unknown = Array.isArray(updates) ? updates[0]?.values : undefined;
    if (!Array.isArray(values) || values.length > valuesMax) return undefined;
    const path: unknown = values[0]?.path;
    if (typeof path !== "string") return undefined;
    const places = this.#places.get(path);
    const place = places?.[values.length];
    return place ?? this.#addPlace(path, places, values.length);
  }

  #addPlace(path: string, found: Place[] | undefined, length: number): Place {
    let places = found;
    if (this.#count >= templatesMax) {
      this.#places.clear();
      this.#count = 0;
      places = undefined;
    }
    if (places === undefined) {
      places = [];
      this.#places.set(path, places);
    }
    this.#count++;
    const place = { template: undefined, misses: 0, patience: 0 };
    places[length] = place;
    return place;
  }
}

const plain = Object.prototype;

type Walk = (template: TextTemplate, shape: Shape, value: unknown) => boolean;

// The same walk three times, on purpose: V8 learns classes of objects for each place in the source, and those of deltas, of
// their values and of everything else together are too many for one.

/** A delta or an update. */
function putOuter(template: TextTemplate, { names, parts }: Shape, outer: unknown): boolean {
  if (!isRecord(outer) || outer.toJSON !== undefined || Object.getPrototypeOf(outer) !== plain) return false;
  let index = 0;
  for (const name in outer) {
    const part = parts[index];
    if (part === undefined || names[index++] !== name) return false;
    const value = outer[name];
    if (part.leaf >= 0 ? !template.put(part.leaf, value) : !putInner(template, part, name, value))
      return false;
  }
  return index === names.length;
}

function putInner(template: TextTemplate, part: Shape, name: string, value: unknown): boolean {
  if (!part.isList) return putAny(template, part, value);
  return putList(template, part, value, name === "updates" ? putOuter : putItem);
}

/** A path and its value. */
function putItem(template: TextTemplate, { names, parts }: Shape, item: unknown): boolean {
  if (!isRecord(item) || item.toJSON !== undefined || Object.getPrototypeOf(item) !== plain) return false;
  let index = 0;
  for (const name in item) {
    const part = parts[index];
    if (part === undefined || names[index++] !== name) return false;
    const value = item[name];
    if (part.leaf >= 0 ? !template.put(part.leaf, value) : !putAny(template, part, value)) return false;
  }
  return index === names.length;
}

function putAny(template: TextTemplate, shape: Shape, value: unknown): boolean {
  if (shape.leaf >= 0) return template.put(shape.leaf, value);
  if (shape.isList) return putList(template, shape, value, putAny);
  if (!isRecord(value) || value.toJSON !== undefined || Object.getPrototypeOf(value) !== plain) return false;
  const { names, parts } = shape;
  let index = 0;
  for (const name in value) {
    const part = parts[index];
    if (part === undefined || names[index++] !== name) return false;
    if (!putAny(template, part, value[name])) return false;
  }
  return index === names.length;
}

function putList(template: TextTemplate, { isList, parts }: Shape, list: unknown, put: Walk): boolean {
  if (!isList || !Array.isArray(list) || list.length !== parts.length || toJsonOf(list) !== undefined)
    return false;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (part === undefined || !put(template, part, list[index])) return false;
  }
  return true;
}

/** Where somebody has given one to lists. */
function toJsonOf(list: object): unknown {
  // Any object may have one.
  return (list as { readonly toJSON?: unknown }).toJSON;
}
