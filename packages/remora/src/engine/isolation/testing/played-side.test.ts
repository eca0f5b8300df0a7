/** The other side of a wall, played by a test: no thread, no process, and whatever it likes for an answer. */

import { defaultLimits } from "../../limits.ts";
import { encodeEvents } from "../events.ts";
import { Isolate } from "../isolate.ts";
import type { IsolationLevel } from "../isolation.ts";
import type { Receiver, Transport } from "../link.ts";
import { kinds, type Message, message } from "../protocol.ts";

/** What it answers to a message of the host's; nothing when it keeps silent. */
export type Play = (sent: Message, side: PlayedSide) => Message | undefined;

export const endless = { ...defaultLimits, fuelMax: Infinity, deadlineMs: Infinity };

export class PlayedSide {
  readonly isolate: Isolate;
  /** Kinds of what the host sent. */
  readonly heard: number[] = [];
  /** Why the host ended it. */
  killed: string | undefined;
  #receiver: Receiver | undefined;
  #isOver = false;

  constructor(play: Play, level: IsolationLevel = "worker") {
    this.isolate = new Isolate({
      level,
      as: "compiled",
      connect: (receiver) => this.#connect(receiver, play),
      onBusy() {},
      onOver() {},
    });
  }

  /** Says something, whether it is asked or not. */
  say(said: Message): void {
    if (!this.#isOver) this.#receiver?.received(said);
  }

  /** It is gone: whatever still waits for it has to be told. */
  end(reason = "it ended"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver?.ended({ reason, isGuestsFault: false });
  }

  #connect(receiver: Receiver, play: Play): Transport {
    this.#receiver = receiver;
    const kill = (reason: string) => {
      this.killed ??= reason;
      this.end(reason);
    };
    return {
      send: (sent) => {
        this.heard.push(sent.kind);
        setImmediate(() => {
          const answer = play(sent, this);
          if (answer !== undefined) this.say(answer);
        });
      },
      ship() {},
      stop: () => true,
      hold() {},
      kill,
      end: async (reason) => kill(reason),
    };
  }
}

/** What code of ours answers where there is nothing to say. */
export function wellBehaved({ kind }: Message): Message {
  const isTask = kind >= kinds.begin && kind <= kinds.letGo;
  if (isTask || kind === kinds.cancel)
    return message(kinds.events, { first: Infinity, payload: encodeEvents([]) });
  if (kind === kinds.call) return message(kinds.results, { count: 1 });
  return message(kinds.done);
}

/** So many turns of the host's loop. */
export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise((turn) => setImmediate(turn));
}
