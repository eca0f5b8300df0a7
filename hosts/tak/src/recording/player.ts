/**
 * Plays a recording in a loop. The times inside the events are moved so that the stream happens now, and each
 * round is later than the one before: no event is ever a duplicate of an earlier one.
 */

import { setImmediate, setTimeout } from "node:timers/promises";
import { invariant } from "remora/base";
import type { CotFormat } from "../cot/message.ts";
import { type Recording, type TimeKind, timeSize } from "./container.ts";

/** What the player gives out: good until the next one, but for its bytes, which are the receiver's to keep. */
export interface PlayedEvent {
  /** As on the wire: an XML event, or a frame of TAK protocol v1. */
  bytes: Buffer;
  format: CotFormat;
  /** Milliseconds since playing began, at the recording's own speed. */
  dueMs: number;
}

/** Slabs that events are cut from: one allocation for about a hundred of them. */
const slabBytes = 64 * 1024;
const dayMs = 86_400_000;
/** LEB128 of six bytes ends here, in the year 2109; a recording played very fast begins again before. */
const timeMsMax = 2 ** 42 - 1;
/** And begins here, in 2004: below it is one of fewer bytes. */
const timeMsMin = 2 ** 35;

interface Prepared {
  readonly offsetMs: number;
  readonly format: CotFormat;
  readonly bytes: Buffer;
  readonly offsets: readonly number[];
  readonly kinds: readonly TimeKind[];
  readonly timesMs: readonly number[];
}

export class Player {
  readonly #events: readonly Prepared[];
  readonly #durationMs: number;
  readonly #shiftMs: number;
  readonly #latestMs: number;
  readonly #played: PlayedEvent = { bytes: Buffer.alloc(0), format: "xml", dueMs: 0 };
  readonly #iso = new IsoWriter();
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #slabUsed = 0;
  #index = 0;
  /** Of the running round, since playing began. */
  #roundMs = 0;
  /** Of the running round, in the events' times. */
  #movedMs = 0;

  /**
   * @param startMs When the recording's beginning happens, in milliseconds since 1970.
   * @throws RangeError  the recording is empty, or `startMs` is no time of this century
   */
  constructor(recording: Recording, startMs: number) {
    if (recording.events.length === 0) throw new RangeError("Cannot play a recording without events");
    if (!(startMs > timeMsMin && startMs < timeMsMax)) throw new RangeError(`Cannot play at ${startMs}`);
    this.#events = recording.events.map((event) => ({
      offsetMs: event.offsetMs,
      format: event.format,
      bytes: Buffer.from(event.bytes),
      offsets: event.times.map(({ offset }) => offset),
      kinds: event.times.map(({ kind }) => kind),
      timesMs: event.times.map(({ offset, kind }) => readTime(event.bytes, offset, kind)),
    }));
    this.#durationMs = recording.header.durationMs;
    this.#shiftMs = Math.trunc(startMs) - recording.header.epochMs;
    this.#latestMs = this.#events.reduce((latest, { timesMs }) => Math.max(latest, ...timesMs), 0);
  }

  /** Rounds that were played whole. */
  get rounds(): number {
    return Math.round(this.#roundMs / this.#durationMs);
  }

  /** The next event, of the next round when this one is over. The object is used again by the next call. */
  next(): PlayedEvent {
    const event = this.#events[this.#index];
    invariant(event !== undefined, "the index stays within the events");
    const played = this.#played;
    played.bytes = this.#moved(event);
    played.format = event.format;
    played.dueMs = this.#roundMs + event.offsetMs;
    this.#index++;
    if (this.#index === this.#events.length) this.#nextRound();
    return played;
  }

  #nextRound(): void {
    this.#index = 0;
    this.#roundMs += this.#durationMs;
    this.#movedMs += this.#durationMs;
    // Some 700,000 rounds of an hour later, what was the first round is long forgotten by every receiver.
    if (this.#latestMs + this.#shiftMs + this.#movedMs + this.#durationMs > timeMsMax) this.#movedMs = 0;
  }

  #moved({ bytes, offsets, kinds, timesMs }: Prepared): Buffer {
    const copy = this.#room(bytes.length);
    bytes.copy(copy);
    for (let place = 0; place < offsets.length; place++) {
      const timeMs = (timesMs[place] ?? 0) + this.#shiftMs + this.#movedMs;
      if (kinds[place] === "iso") this.#iso.write(copy, offsets[place] ?? 0, timeMs);
      else writeVarint(copy, offsets[place] ?? 0, timeMs);
    }
    return copy;
  }

  /** Not cleared: the caller writes all of it. */
  #room(size: number): Buffer {
    if (size > slabBytes / 4) return Buffer.allocUnsafeSlow(size);
    if (this.#slabUsed + size > slabBytes) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#slabUsed = 0;
    }
    this.#slabUsed += size;
    return this.#slab.subarray(this.#slabUsed - size, this.#slabUsed);
  }
}

export interface PlayOptions {
  /**
   * 1 is as recorded, 60 is an hour in a minute, Infinity as fast as it goes. A function is asked before each
   * event, so that the speed may change meanwhile.
   */
  readonly speed: number | (() => number);
  /** When to end; without it, never. */
  readonly signal?: AbortSignal;
  /** Rounds to play; default Infinity. */
  readonly rounds?: number;
  /** For tests. */
  readonly clock?: PlayClock;
}

export interface PlayClock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Ends early, and without an error, when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Events handed out before others on this thread get their turn. */
const burst = 256;

/**
 * Hands the player's events to `receive`, each when it is due. At a finite speed a receiver that falls behind
 * gets late events at once; the recording does not wait for it.
 *
 * @param receive Must not keep the event, only its bytes. Gives back what to wait for before the next one, if anything.
 */
export async function play(
  player: Player,
  options: PlayOptions,
  receive: (event: PlayedEvent) => void | Promise<void>,
): Promise<void> {
  const { signal, rounds = Number.POSITIVE_INFINITY, clock = systemClock } = options;
  const pace = new Pace(options.speed, clock.now());
  let inBurst = 0;
  while (player.rounds < rounds && !signal?.aborted) {
    const event = player.next();
    const waitMs = pace.waitMs(event.dueMs, clock);
    inBurst++;
    if (waitMs > 0 || inBurst === burst) {
      inBurst = 0;
      await clock.sleep(Math.max(0, waitMs), signal);
      if (signal?.aborted) return;
    }
    const room = receive(event);
    if (room instanceof Promise) await room;
  }
}

/** When the recording's time comes, counted from where the speed last changed. */
class Pace {
  readonly #speed: () => number;
  #current: number;
  #sinceMs: number;
  #sinceDueMs = 0;

  constructor(speed: PlayOptions["speed"], nowMs: number) {
    this.#speed = typeof speed === "number" ? () => speed : speed;
    this.#current = this.#checked();
    this.#sinceMs = nowMs;
  }

  waitMs(dueMs: number, clock: PlayClock): number {
    const nowMs = clock.now();
    const speed = this.#checked();
    if (speed !== this.#current) {
      this.#current = speed;
      this.#sinceMs = nowMs;
      this.#sinceDueMs = dueMs;
    }
    return (dueMs - this.#sinceDueMs) / speed - (nowMs - this.#sinceMs);
  }

  #checked(): number {
    const speed = this.#speed();
    if (!(speed > 0)) throw new RangeError(`Cannot play at speed ${speed}: it must be more than 0`);
    return speed;
  }
}

const systemClock: PlayClock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    if (ms < 1) return setImmediate();
    try {
      await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The only failure of a timer is that it was aborted, which the caller looks for.
      if (!signal?.aborted) throw error;
    }
  },
};

/** Writes ISO 8601 with milliseconds; the day changes seldom and is kept. */
class IsoWriter {
  readonly #day = new Uint8Array(11);
  #dayNumber = -1;

  write(bytes: Uint8Array, at: number, timeMs: number): void {
    const dayNumber = Math.floor(timeMs / dayMs);
    if (dayNumber !== this.#dayNumber) {
      this.#dayNumber = dayNumber;
      this.#day.set(Buffer.from(new Date(dayNumber * dayMs).toISOString().slice(0, 11), "latin1"));
    }
    // Eleven bytes are copied faster one by one than by a call.
    for (let index = 0; index < 11; index++) bytes[at + index] = this.#day[index] ?? 0;
    // A day's milliseconds fit 32 bits, and division of such integers is much faster than of others.
    const inDay = (timeMs - dayNumber * dayMs) | 0;
    const seconds = (inDay / 1_000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    const ms = inDay - seconds * 1_000;
    const hundreds = (ms / 100) | 0;
    twoDigits(bytes, at + 11, hours);
    bytes[at + 13] = 0x3a;
    twoDigits(bytes, at + 14, minutes - hours * 60);
    bytes[at + 16] = 0x3a;
    twoDigits(bytes, at + 17, seconds - minutes * 60);
    bytes[at + 19] = 0x2e;
    bytes[at + 20] = 0x30 + hundreds;
    twoDigits(bytes, at + 21, ms - hundreds * 100);
    bytes[at + 23] = 0x5a;
  }
}

function twoDigits(bytes: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0;
  bytes[at] = 0x30 + tens;
  bytes[at + 1] = 0x30 + value - tens * 10;
}

function readTime(bytes: Uint8Array, at: number, kind: TimeKind): number {
  if (kind === "iso")
    return Date.parse(Buffer.from(bytes.subarray(at, at + timeSize.iso)).toString("latin1"));
  let value = 0;
  for (let index = 0; index < timeSize.varint; index++) {
    value += ((bytes[at + index] ?? 0) & 0x7f) * 2 ** (7 * index);
  }
  return value;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 28);
  const low = value - high * 2 ** 28;
  bytes[at] = (low & 0x7f) | 0x80;
  bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80;
  bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80;
  bytes[at + 3] = (low >>> 21) | 0x80;
  bytes[at + 4] = (high & 0x7f) | 0x80;
  bytes[at + 5] = high >>> 7;
}
