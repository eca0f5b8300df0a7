/**
 * The host's end of one thread or process: whose turn it is, which calls run on top of each other over there, and which
 * wait for their turn. What a call means is its job's business; what a message travels through is the transport's.
 */

import { kinds, type Message, nestedMax } from "./protocol.ts";

/** How messages get to the guest's side and back. */
export interface Transport {
  /** Sends one message, and gives the turn away. `payload` is copied or written at once. */
  send(sent: Message): void;
  /** Sends what does not fit a message, before the `load` that announces it. */
  ship(shipment: unknown): void;
  /** Asks a running call to stop. False when there is no way to. */
  stop(instance: number): boolean;
  /** Whether the host waits for something: if not, this end must not keep the program alive. */
  hold(isBusy: boolean): void;
  /** Ends the thread or process, whatever it does. `Receiver.ended` is told, with this reason. */
  kill(reason: string): void;
  /** As `kill`; resolves when it is gone. */
  end(reason: string): Promise<void>;
}

/** What a transport tells. */
export interface Receiver {
  received(message: Message): void;
  /** Nothing more will come. */
  ended(end: End): void;
}

/** Why a thread or process is over, and whether the guest that ran is to blame for it. */
export interface End {
  readonly reason: string;
  readonly isGuestsFault: boolean;
}

/** One message of the host's, and what happens until its answer. */
export interface Job {
  /** Its payload is copied when the job has to wait. */
  message: Message;
  /** To be handed over before the message, for `load`. */
  readonly shipment?: unknown;
  /** Milliseconds that the guest's side may take in all, time in host functions left out. */
  readonly allowedMs: number;
  /** Milliseconds after which no host function is waited for any more, whatever the guest's side says of its time. */
  readonly lastsMs?: number;
  /** It can only be done when no guest's code waits further down: the other side has to turn its event loop for it. */
  readonly needsLoop?: boolean;
  /** It begins, and did not have to wait any longer. */
  started?(): void;
  /** The guest calls the host, and may wait for so long. `reply` is called once, now or later. */
  hostCalled?(call: Message, reply: (answer: Message) => void, waitMsMax: number): void;
  /** The answer to the job's message: nothing more comes. */
  answered(answer: Message): void;
  /** The thread or process is over. `isInnermost` says that it was this job which ran. */
  lost(end: End, hasStarted: boolean, isInnermost: boolean): void;
}

interface Frame {
  readonly job: Job;
  readonly startedMs: number;
  /** Milliseconds that the other side has had for it. */
  ranMs: number;
  /** It waits for a host function. */
  isWaiting: boolean;
  /** Since when that is all that happens. */
  waitsSinceMs: number;
  /** What that gave, when it could not be sent at once. */
  reply: Message | undefined;
}

export class Link implements Receiver {
  readonly #transport: Transport;
  /** Not longer than the pool's callers make it: each entry is a promise that one of them holds. */
  readonly #queue: Job[] = [];
  readonly #stack: Frame[] = [];
  readonly #onBusy: () => void;
  #isOurTurn = true;
  #turnedAt = 0;
  #isHeld = false;
  #end: End | undefined;

  constructor(connect: (receiver: Receiver) => Transport, onBusy: () => void) {
    this.#transport = connect(this);
    this.#onBusy = onBusy;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Messages sent or waiting. */
  get load(): number {
    return this.#stack.length + this.#queue.length;
  }

  submit(job: Job): void {
    if (this.#end !== undefined) {
      job.lost(this.#end, false, false);
      return;
    }
    if (!this.#isHeld) {
      this.#isHeld = true;
      this.#transport.hold(true);
      this.#onBusy();
    }
    if (this.#queue.length === 0 && this.#mayStart(job)) {
      this.#start(job);
      return;
    }
    job.message = kept(job.message);
    this.#queue.push(job);
    this.#pump();
  }

  /** Takes back a job that has not started. */
  withdraw(job: Job): boolean {
    const index = this.#queue.indexOf(job);
    if (index < 0) return false;
    this.#queue.splice(index, 1);
    return true;
  }

  /** Whether this very job runs over there, and does not wait for the host. */
  runs(job: Job): boolean {
    return !this.#isOurTurn && this.#stack.at(-1)?.job === job;
  }

  /** Asks a running call to stop. False when only `kill` can. */
  stop(instance: number): boolean {
    return this.#transport.stop(instance);
  }

  kill(reason: string): void {
    this.#transport.kill(reason);
  }

  end(reason: string): Promise<void> {
    return this.#transport.end(reason);
  }

  /** Milliseconds by which the guest's side is late. */
  overdueMs(nowMs: number): number {
    const frame = this.#stack.at(-1);
    if (this.#isOurTurn || frame === undefined) return 0;
    return frame.ranMs + nowMs - this.#turnedAt - frame.job.allowedMs;
  }

  received(received: Message): void {
    const frame = this.#stack.at(-1);
    if (frame === undefined || this.#isOurTurn) {
      this.#fail("a message out of turn");
      return;
    }
    this.#isOurTurn = true;
    const nowMs = performance.now();
    frame.ranMs += nowMs - this.#turnedAt;
    if (received.kind === kinds.hostCall || received.kind === kinds.dropResource) {
      if (frame.job.hostCalled === undefined) {
        this.#fail("a call of the host by what is no call of a guest");
        return;
      }
      frame.isWaiting = true;
      frame.waitsSinceMs = 0;
      const leftMs = frame.startedMs + (frame.job.lastsMs ?? frame.job.allowedMs) - nowMs;
      // What the guest's side says may be anything, also no number.
      const waitMsMax = Math.min(Math.max(received.first, 0) || 0, leftMs);
      frame.job.hostCalled(received, (answer) => this.#reply(frame, answer), waitMsMax);
      // Answered at once it has not waited.
      if (frame.isWaiting) frame.waitsSinceMs = performance.now();
    } else {
      this.#stack.pop();
      frame.job.answered(received);
    }
    this.#pump();
  }

  ended(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const frames = this.#stack.splice(0);
    const innermost = frames.at(-1);
    for (const frame of frames.reverse()) {
      frame.job.lost(end, true, frame === innermost && !frame.isWaiting);
    }
    for (const job of this.#queue.splice(0)) job.lost(end, false, false);
  }

  #reply(frame: Frame, answer: Message): void {
    if (this.#end !== undefined || !frame.isWaiting || frame.reply !== undefined) return;
    if (this.#isOurTurn && this.#stack.at(-1) === frame) {
      this.#goOn(frame, answer);
    } else {
      frame.reply = kept(answer);
    }
  }

  #goOn(frame: Frame, answer: Message): void {
    frame.isWaiting = false;
    this.#send(
      frame.waitsSinceMs === 0 ? answer : { ...answer, first: performance.now() - frame.waitsSinceMs },
    );
  }

  /** Sends what can be sent: first what the innermost guest waits for. */
  #pump(): void {
    if (!this.#isOurTurn || this.#end !== undefined) return;
    const top = this.#stack.at(-1);
    if (top?.reply !== undefined) {
      const { reply } = top;
      top.reply = undefined;
      this.#goOn(top, reply);
      return;
    }
    const index = this.#queue.findIndex((job) => this.#mayStart(job));
    const [next] = index < 0 ? [] : this.#queue.splice(index, 1);
    if (next !== undefined) this.#start(next);
    else if (top === undefined) this.#rest();
  }

  /** On top of guests that wait, as long as the job is for none of them: an instance takes one call at a time. */
  #mayStart({ message: { target }, needsLoop = false }: Job): boolean {
    const top = this.#stack.at(-1);
    if (!this.#isOurTurn) return false;
    if (top === undefined) return true;
    if (needsLoop) return false;
    if (!top.isWaiting || this.#stack.length >= nestedMax) return false;
    return this.#stack.every(({ job }) => job.message.target !== target);
  }

  #start(job: Job): void {
    const startedMs = performance.now();
    this.#stack.push({ job, startedMs, ranMs: 0, isWaiting: false, waitsSinceMs: 0, reply: undefined });
    job.started?.();
    if (job.shipment !== undefined) this.#transport.ship(job.shipment);
    this.#send(job.message);
  }

  #send(sent: Message): void {
    this.#isOurTurn = false;
    this.#turnedAt = performance.now();
    this.#transport.send(sent);
  }

  #rest(): void {
    this.#isHeld = false;
    this.#transport.hold(false);
  }

  #fail(reason: string): void {
    const frame = this.#stack.at(-1);
    if (frame !== undefined) frame.isWaiting = false;
    this.ended({ reason, isGuestsFault: true });
    this.#transport.kill(reason);
  }
}

/** A message that outlives the packet which it was made of. */
function kept(sent: Message): Message {
  return sent.payload.length === 0 ? sent : { ...sent, payload: Uint8Array.from(sent.payload) };
}

/** A job that is answered by `done`, and nothing else matters of it. */
export function plainJob(
  link: Link,
  sent: Message,
  options: { readonly allowedMs: number; readonly shipment?: unknown },
): Promise<void> {
  return new Promise((resolve, reject) => {
    link.submit({
      message: sent,
      ...options,
      answered: ({ kind }) => {
        if (kind === kinds.done) {
          resolve();
          return;
        }
        const end: End = { reason: `a message of kind ${kind} in place of "done"`, isGuestsFault: true };
        reject(end);
        link.kill(end.reason);
      },
      lost: (end) => reject(end),
    });
  });
}
