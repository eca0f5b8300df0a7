/** The rows that are one call, over and over: what crosses, and what comes back. */

import { message } from "../message.ts";
import type { Exports, Imports } from "./contestant.ts";
import type { Guests } from "./guests.ts";

export interface CallRow {
  readonly name: string;
  readonly guest: keyof Guests;
  readonly imports?: Imports;
  /** Nanoseconds of one unit. */
  readonly bar: number;
  /** What one call is divided by. Default: 1. */
  readonly records?: number;
  /** Measured without a deadline. */
  readonly isUndated?: boolean;
  /** One call; what it gives back is compared between the contestants. */
  readonly call: (exports: Exports) => () => unknown;
}

const messages = Array.from({ length: 64 }, (_, index) => ({ ...message, lat: 49 + index / 32 }));

class Message {
  readonly #lat: number;
  readonly #lon: number;
  constructor(lat: number, lon: number) {
    this.#lat = lat;
    this.#lon = lon;
  }
  lat(): number {
    return this.#lat;
  }
  lon(): number {
    return this.#lon;
  }
}
const lent = new Message(52.08, 4.31);

const kilobyte = Uint8Array.from({ length: 1_024 }, (_, index) => index * 7);
const sixteen = "ANDROID-35997509";
const points = Array.from({ length: 100 }, (_, index) => ({ x: index * 1.5, y: -index }));

export const callRows: readonly CallRow[] = [
  { name: "scalar call, fuel", guest: "calls", bar: 60, isUndated: true, call: addition },
  { name: "scalar call, fuel and deadline", guest: "calls", bar: 100, call: addition },
  {
    name: "record of 10 fields, 7 strings",
    guest: "calls",
    bar: 320,
    call: ({ calls }) => {
      const { evaluate } = calls;
      return () => evaluate(message);
    },
  },
  {
    name: "lazy record, two getters",
    guest: "lazy",
    imports: { "bench:lazy/types@0.1.0": { Message } },
    bar: 170,
    call: ({ lazy }) => {
      const { evaluate } = lazy;
      return () => evaluate(lent);
    },
  },
  {
    name: "batch of 64, per record",
    guest: "calls",
    bar: 200,
    records: messages.length,
    call: ({ calls }) => {
      const { evaluateBatch } = calls;
      return () => evaluateBatch(messages);
    },
  },
  {
    name: "list<u8> of 1 KiB, in and out",
    guest: "calls",
    bar: 1_200,
    call: ({ calls }) => {
      const { bytes } = calls;
      return () => bytes(kilobyte);
    },
  },
  {
    name: "string of 16, in and out",
    guest: "calls",
    bar: 500,
    call: ({ calls }) => {
      const { text } = calls;
      return () => text(sixteen);
    },
  },
  {
    name: "list<record> of 100, in and out",
    guest: "calls",
    bar: 8_600,
    call: ({ calls }) => {
      const { points: copy } = calls;
      return () => copy(points);
    },
  },
];

function addition({ calls }: Exports): () => unknown {
  const { add } = calls;
  return () => add(19, 23);
}
