/**
 * The message that a lazy filter is lent: `resource message` of `remora:tak/messages`. One object serves an
 * instance for life, since a guest can only hold it during the call that it is lent for; each method reads one
 * field of the event, which is parsed then if it was not before.
 */

import type { CotMessage } from "../cot/message.ts";

export class LentMessage {
  /** The event of the running call. */
  event: CotMessage | undefined;
  readonly #handsOutXml: boolean;

  constructor(options: { handsOutXml: boolean }) {
    this.#handsOutXml = options.handsOutXml;
  }

  cotType(): string {
    return this.#lent.type;
  }
  uid(): string {
    return this.#lent.uid;
  }
  how(): string {
    return this.#lent.how;
  }
  lat(): number {
    return this.#lent.lat;
  }
  lon(): number {
    return this.#lent.lon;
  }
  hae(): number | undefined {
    return this.#lent.hae;
  }
  ce(): number | undefined {
    return this.#lent.ce;
  }
  le(): number | undefined {
    return this.#lent.le;
  }
  time(): string {
    return this.#lent.time;
  }
  timeMs(): bigint {
    return BigInt(Math.trunc(this.#lent.timeMs));
  }
  staleMs(): bigint {
    return BigInt(Math.trunc(this.#lent.staleMs));
  }
  callsign(): string | undefined {
    return this.#lent.callsign;
  }
  group(): string | undefined {
    return this.#lent.groupName;
  }
  team(): string | undefined {
    return this.#lent.groupName;
  }
  xmlPayload(): string | undefined {
    return this.#handsOutXml ? this.#lent.xml() : undefined;
  }

  get #lent(): CotMessage {
    // The component layer refuses handles that outlive their call, so nothing gets here without an event.
    if (this.event === undefined) throw new Error("Invariant broken: a message is read outside its call");
    return this.event;
  }
}
