/**
 * What a host and a guest's thread or process say to each other. Both levels speak this; they differ in how a message
 * travels: through shared memory (`mailbox.ts`) or a pipe (`pipe.ts`).
 *
 * They take turns. The host sends one message and gives the turn away; the guest's side answers with one message and
 * gives it back. A call therefore goes
 *
 *     host → call            guest runs …
 *            hostCall ←      … and waits for a host function
 *     host → answer          … goes on …
 *             results ←
 *
 * While the guest waits for its `answer` the host may send another `call`, for another instance: it runs on top, and its
 * `results` come before the outer guest goes on. So the host's messages form a stack, and an `answer` is always for the
 * innermost guest that waits.
 *
 * A guest whose component is asynchronous works otherwise: it has no `results`. Each message to it is answered by `events`
 * as soon as it can do nothing more by itself: what it asks of the host, and what it has come to. In between it waits
 * without anybody's turn, so that others go on.
 *
 * The host trusts nothing that comes back: of each message it checks that it may come now, that its numbers name what
 * they should, and that its packet has the types of the world. The guest's side trusts the host.
 */

export const kinds = {
  // Host to guest.
  /** `target` is a new artifact's number; the shipment travels beside or in `payload`. Answered by `done`. */
  load: 1,
  /** `target` is a new instance's number, `item` the artifact's; `payload`: limits. Answered by `done` or `failed`. */
  instantiate: 2,
  /**
   * Calls function `item` of instance `target`, `count` times, within fuel `first` and deadline `second` each;
   * `payload`: a packet of arguments. Answered by `results`.
   */
  call: 3,
  /**
   * Of a host function: `item` says how it ended; `payload`: its result, or why it failed. For `first` milliseconds the
   * host did nothing but wait for it. To a core module, with a `count` of 1: before it goes on its function `target` is to be
   * called with the number `second`.
   */
  answer: 4,
  /** Lets go of instance `target`. Answered by `done`. */
  drop: 5,
  /** Lets go of artifact `target`. Answered by `done`. */
  unload: 6,
  /**
   * Lets go of the guest's own resource `count` of type `item`, which runs its destructor within fuel `first` and deadline
   * `second`. Answered by `done`, or by `failed` when that poisoned the instance; of an asynchronous component by `events`.
   */
  release: 7,
  /** Wants `second` bytes at `first` of instance `target`'s memory. Answered by `memory`. */
  peek: 12,
  /** Puts `payload` at `first` of instance `target`'s memory. Answered by `memory`, without bytes. */
  poke: 13,
  // To a guest of an asynchronous component; each is answered by `events`.
  /** Begins call `count` of function `item`, within fuel `first` and deadline `second`; `payload`: a packet of arguments. */
  begin: 8,
  /** `payload`: what has come of what it asked; none when only time has passed. */
  settle: 9,
  /** Wants the next value of its stream, or the value of its future, with the number `item`: an event of id `count`. */
  pull: 10,
  /** Lets go of its stream `item`. */
  letGo: 11,
  /** Nobody wants the result of call `count` any more. */
  cancel: 14,
  // Guest to host.
  done: 16,
  /** `payload`: an error report. */
  failed: 17,
  /**
   * Of a call: `count` calls gave a result; `target` is 1 when the instance takes no further call; `first` is the fuel, `second` the pages, `third` the milliseconds. `payload`:
   * a packet of `item` bytes, and behind it the error report of the call that failed, if one did.
   */
  results: 18,
  /**
   * Instance `target` calls the host's function `item`; `first` milliseconds are left until time ends it, if it waits.
   * `payload`: a packet of arguments, or for a core module what `core-values.ts` says.
   */
  hostCall: 19,
  /** Instance `target` lets go of the host's resource `first`, of type `item`. Answered like a host call. */
  dropResource: 20,
  /**
   * `payload`: what happened, see `events.ts`; `target` is 1 when the instance takes no further call; `first` milliseconds
   * are left until time alone ends it: the deadline of the call that waits, or what one that was cancelled is given; 0 when
   * it is not done, and goes on with the next message.
   */
  events: 21,
  /** `item` is 1 when the piece lies wholly in the memory; `payload`: its bytes, when they were asked for. */
  memory: 22,
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

/** How a host function ended: `item` of an answer. */
export const answers = { returned: 0, failed: 1 } as const;

/** One message. `payload` is valid until the next message is sent or received. */
export interface Message {
  readonly kind: number;
  readonly target: number;
  readonly item: number;
  readonly count: number;
  readonly first: number;
  readonly second: number;
  readonly third: number;
  readonly payload: Uint8Array;
}

/** Bytes of one payload, either way. */
export const payloadBytesMax = 100 * 1024 * 1024;

/** What a guest of an asynchronous component may ask of the host at one time; its own limit on calls under way is lower. */
export const askedMax = 4_096;

/** Calls that may run on top of each other in one thread or process, each of which but the last waits for the host. */
export const nestedMax = 4;

const noPayload = new Uint8Array(0);

export function message(kind: Kind, facts: Partial<Omit<Message, "kind">> = {}): Message {
  return {
    kind,
    target: facts.target ?? 0,
    item: facts.item ?? 0,
    count: facts.count ?? 0,
    first: facts.first ?? 0,
    second: facts.second ?? 0,
    third: facts.third ?? 0,
    payload: facts.payload ?? noPayload,
  };
}

/** The guest's end: it blocks. */
export interface GuestChannel {
  /** Sends a message and waits for the host's next one. */
  exchange(sent: Message): Message;
  /** Whether the host wants the running call of an instance to stop. */
  isStopped(instance: number): boolean;
  /** The shipment that a `load` announced. */
  shipment(loaded: Message): unknown;
}
