/**
 * Deltas as texts, as guests have them in memory. A boat says the same all the time with other numbers, so that the last
 * delta about the same paths is the template of the next. Bounded whatever is said: so many templates, and what comes in
 * another shape again and again is left to the platform for a while.
 */

import { type DeltaForm, deltaForm, putDelta } from "./delta-form.ts";
import { TextTemplate } from "./text-template.ts";

const templatesMax = 128;
const valuesMax = 16;
/** Making a template takes ten times as long as writing one text, so that it is made again after so many misses in a row. */
const patienceMin = 4;
const patienceMax = 256;

interface Known {
  readonly template: TextTemplate;
  readonly form: DeltaForm;
}

interface Place {
  known: Known | undefined;
  /** Deltas in a row that had another shape, or none. */
  misses: number;
  /** Misses until a template is made: doubles with each that is made, and is one less with each delta that it fits. */
  patience: number;
}

/** The JSON of a delta, nobody else's until it is taken back. */
export interface LentText {
  /** Two bytes a unit, the lower one first. */
  readonly utf16: Uint8Array;
  /** undefined where it is not one byte a unit. */
  readonly utf8: Uint8Array | undefined;
}

export class DeltaTexts {
  /** By the first path, and by how many values there are: what has both in common has the shape, for the most part. */
  readonly #places = new Map<string, Place[]>();
  #count = 0;
  #isLent = false;

  /**
   * The text of a delta, to be taken back before the next is lent.
   *
   * @returns undefined where `JSON.stringify` has to write it, and while another text is lent
   */
  lend(delta: object): LentText | undefined {
    if (this.#isLent) return undefined;
    const text = this.#write(delta);
    this.#isLent = text !== undefined;
    return text;
  }

  takeBack(): void {
    this.#isLent = false;
  }

  #write(delta: object): LentText | undefined {
    const place = this.#placeOf(delta);
    if (place === undefined) return undefined;
    const { known } = place;
    if (known !== undefined && putDelta(known.template, known.form, delta)) {
      place.misses = 0;
      if (place.patience > patienceMin) place.patience--;
      return known.template;
    }
    if (++place.misses <= place.patience) return undefined;
    place.misses = 0;
    place.patience = Math.min(Math.max(2 * place.patience, patienceMin), patienceMax);
    const template = TextTemplate.of(delta);
    place.known = template && { template, form: deltaForm(template.shape) };
    return template;
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
    const place = { known: undefined, misses: 0, patience: 0 };
    places[length] = place;
    return place;
  }
}
