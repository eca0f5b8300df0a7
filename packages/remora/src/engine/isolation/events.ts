/**
 * What happens in a guest that may wait, in both directions: a message carries any number of events, one behind the other.
 * Each is a head of fixed size and a payload.
 */

export const eventKinds = {
  // Guest to host.
  /** Calls the host's function `item`, which may take its time; `payload`: a packet of arguments. */
  asked: 1,
  /** Wants the next value of the host's stream, or the value of its future, with the number `item`. */
  wanted: 2,
  /** Lets go of the host's stream `item`. */
  letGo: 3,
  /**
   * Call `id` is over, `item` says how; `first` is the fuel, `second` the pages, `third` the milliseconds. `payload`: a packet
   * of the result, or an error report.
   */
  ended: 4,
  /** The instance failed and takes no further call; `payload`: an error report. */
  broke: 6,
  /** It no longer waits for what it `asked` or `wanted` under `id`; what it asked is `settled` all the same when it is done. */
  forgot: 7,
  // Either way.
  /** To `asked` and `wanted`, and of the guest's own streams and futures to `pull`: `item` says how. */
  settled: 5,
} as const;

/** How something ended: `item` of `ended` and `settled`. */
export const outcomes = { value: 0, failed: 1, done: 2 } as const;

export interface Event {
  readonly kind: number;
  readonly id: number;
  readonly item: number;
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly payload: Uint8Array;
}

const noBytes = new Uint8Array(0);

export function event(kind: number, facts: Partial<Omit<Event, "kind">> = {}): Event {
  return { kind, id: 0, item: 0, first: 0, second: 0, third: 0, payload: noBytes, ...facts };
}

/** Four 32-bit words and three 64-bit floats. */
const headBytes = 40;

/** Payloads begin where numbers of any size may. */
const unitBytes = 8;

function sizeOf({ payload }: Event): number {
  return headBytes + Math.ceil(payload.length / unitBytes) * unitBytes;
}

export function encodeEvents(events: readonly Event[]): Uint8Array {
  const bytes = new Uint8Array(events.reduce((sum, each) => sum + sizeOf(each), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const each of events) {
    for (const [index, word] of [each.kind, each.id, each.item, each.payload.length].entries())
      view.setUint32(at + 4 * index, word, true);
    for (const [index, number] of [each.first, each.second, each.third].entries())
      view.setFloat64(at + 16 + 8 * index, number, true);
    bytes.set(each.payload, at + headBytes);
    at += sizeOf(each);
  }
  return bytes;
}

/** Of one message: more than a guest may have asked and forgotten, see `questions.ts`, twice over. */
const eventsMax = 131_072;

/**
 * One after another, so that no more than one is there beside the message.
 *
 * @throws RangeError they are cut off, or too many
 */
export function* decodeEvents(bytes: Uint8Array): Generator<Event, void, undefined> {
  // A copy: each of them may have to wait, and the next message takes the place of this one.
  const kept = Uint8Array.from(bytes);
  const view = new DataView(kept.buffer);
  let left = eventsMax;
  for (let at = 0; at < kept.length; ) {
    if (left-- === 0) throw new RangeError(`more than ${eventsMax} events in one message`);
    const [kind = 0, id = 0, item = 0, length = 0] = [0, 4, 8, 12].map((word) =>
      view.getUint32(at + word, true),
    );
    const [first = 0, second = 0, third = 0] = [16, 24, 32].map((number) =>
      view.getFloat64(at + number, true),
    );
    if (at + headBytes + length > kept.length) throw new RangeError("an event that is cut off");
    const payload = kept.subarray(at + headBytes, at + headBytes + length);
    const decoded = { kind, id, item, first, second, third, payload };
    yield decoded;
    at += sizeOf(decoded);
  }
}
