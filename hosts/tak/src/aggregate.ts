/**
 * Recognises the event that arrives a second time by another way. Two messages are the same event when uid
 * and time agree; a later report of the same unit has a later time and always passes.
 *
 * For each uid the last sixteen times are kept. The uids stand in a ring of generations: new ones and those
 * heard again go into the youngest, and when that is full or old, the oldest is dropped whole to make room.
 * Each step is O(1). Under pressure things are forgotten early, which lets a duplicate through and never
 * loses an update.
 */

import type { CotMessage } from "./cot/message.ts";

export interface Aggregation {
  readonly enabled: boolean;
  /** Uids remembered at most; each with its last sixteen times. */
  readonly uidsMax: number;
  /** An event is remembered for this time, in milliseconds. */
  readonly windowMs: number;
}

export const defaultAggregation: Aggregation = { enabled: true, uidsMax: 100_000, windowMs: 60_000 };

const generationsCount = 4;
const timesMax = 16;

/** Characters of all uids: the sender chooses how long one is, so that counting uids is not enough. */
const charactersMax = 32 * 1024 * 1024;

/** The last times of one uid, in a ring, and when each was seen. */
class Sightings {
  readonly #timesMs: number[] = [];
  readonly #seenAtMs: number[] = [];
  #next = 0;

  /** False when this time was seen within the window; remembers it otherwise. */
  isNew(timeMs: number, nowMs: number, windowMs: number): boolean {
    const known = this.#timesMs.indexOf(timeMs);
    if (known >= 0 && nowMs - (this.#seenAtMs[known] ?? 0) < windowMs) return false;
    const index = known >= 0 ? known : this.#next;
    if (known < 0) this.#next = (this.#next + 1) % timesMax;
    this.#timesMs[index] = timeMs;
    this.#seenAtMs[index] = nowMs;
    return true;
  }
}

export class Aggregator {
  /** Youngest first. */
  readonly #generations = Array.from({ length: generationsCount }, () => new Map<string, Sightings>());
  readonly #options: Aggregation;
  readonly #now: () => number;
  #startedAtMs: number;
  #youngestCharacters = 0;
  #seen = 0;
  #duplicates = 0;

  /** @param now A monotonic clock in milliseconds. */
  constructor(options: Aggregation = defaultAggregation, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Messages that were asked about. */
  get seen(): number {
    return this.#seen;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  /** Uids held now, one that moved to a younger generation counted twice. */
  get uids(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.size, 0);
  }

  /** False for an event that was seen before; remembers it otherwise. */
  isNew(message: CotMessage): boolean {
    this.#seen++;
    const { uid, timeMs } = message;
    // Without a time there is no telling an update from a duplicate.
    if (!this.#options.enabled || Number.isNaN(timeMs)) return true;
    const nowMs = this.#now();
    this.#rotate(nowMs);
    const isNew = this.#sightingsOf(uid).isNew(timeMs, nowMs, this.#options.windowMs);
    if (!isNew) this.#duplicates++;
    return isNew;
  }

  #sightingsOf(uid: string): Sightings {
    const known = this.#generations[0]?.get(uid);
    if (known !== undefined) return known;
    let sightings: Sightings | undefined;
    for (const generation of this.#generations) sightings ??= generation.get(uid);
    sightings ??= new Sightings();
    this.#generations[0]?.set(ownCopy(uid), sightings);
    this.#youngestCharacters += uid.length;
    return sightings;
  }

  #rotate(nowMs: number): void {
    const isOld = nowMs - this.#startedAtMs >= this.#options.windowMs / (generationsCount - 1);
    const isFull =
      (this.#generations[0]?.size ?? 0) >= this.#options.uidsMax / generationsCount ||
      this.#youngestCharacters >= charactersMax / generationsCount;
    if (!isOld && !isFull) return;
    this.#generations.pop();
    this.#generations.unshift(new Map());
    this.#startedAtMs = nowMs;
    this.#youngestCharacters = 0;
  }
}

/** V8 cuts a uid out of its event without copying, and would keep the event's whole text with the uid. */
function ownCopy(uid: string): string {
  return Buffer.from(uid, "utf16le").toString("utf16le");
}
