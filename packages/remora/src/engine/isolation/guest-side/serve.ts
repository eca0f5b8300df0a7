/**
 * The guest's side of the wall: does what the host's messages say, one after another, in a thread or process of its
 * own. It holds the artifacts that were shipped to it and their live instances, by the numbers that the host gave.
 */

import { unreachable } from "../../../base/index.ts";
import { encodeReport } from "../error-report.ts";
import { answers, type GuestChannel, kinds, type Message, message } from "../protocol.ts";
import type { Shipment } from "../shipment.ts";
import { Failures } from "./failures.ts";
import type { HostCaller, LiveGuest, ShippedArtifact } from "./live-guest.ts";
import { ShippedComponentArtifact } from "./shipped-component.ts";
import { ShippedModuleArtifact } from "./shipped-module.ts";

export class GuestSide {
  readonly #channel: GuestChannel;
  readonly #failures = new Failures();
  readonly #artifacts = new Map<number, ShippedArtifact>();
  readonly #guests = new Map<number, LiveGuest>();

  constructor(channel: GuestChannel) {
    this.#channel = channel;
  }

  /** Carries out one message and gives the answer to it. */
  handle(received: Message): Message {
    const { kind, target } = received;
    switch (kind) {
      case kinds.load:
        this.#artifacts.set(target, artifactOf(this.#channel.shipment(received) as Shipment)); // The host's own.
        return message(kinds.done);
      case kinds.instantiate:
        return this.#instantiate(received);
      case kinds.call:
        return this.#guest(target).run(received);
      case kinds.drop:
        this.#guests.get(target)?.close();
        this.#guests.delete(target);
        return message(kinds.done);
      case kinds.unload:
        this.#artifacts.delete(target);
        return message(kinds.done);
      default:
        // The host sends no other kind, and an answer only to those who wait for one.
        throw new Error(`Invariant broken: a message of kind ${kind}`);
    }
  }

  #guest(number: number): LiveGuest {
    const guest = this.#guests.get(number);
    if (guest === undefined) throw new Error(`Invariant broken: no instance ${number}`);
    return guest;
  }

  #instantiate({ target, item }: Message): Message {
    const artifact = this.#artifacts.get(item);
    if (artifact === undefined) throw new Error(`Invariant broken: no artifact ${item}`);
    try {
      const options = { number: target, caller: this.#caller(target), failures: this.#failures };
      this.#guests.set(
        target,
        artifact.instantiate({ ...options, isStopped: () => this.#channel.isStopped(target) }),
      );
      return message(kinds.done);
    } catch (error) {
      return message(kinds.failed, { payload: encodeReport(this.#failures.report(error)) });
    }
  }

  /** Calls of the host by one instance: whatever the host wants done meanwhile is done on top. */
  #caller(number: number): HostCaller {
    return (call) => {
      let received = this.#channel.exchange({ ...call, target: number });
      while (received.kind !== kinds.answer) received = this.#channel.exchange(this.handle(received));
      if (received.item === answers.failed) throw this.#failures.ofAnswer(received.payload);
      return received.payload;
    };
  }
}

function artifactOf(shipment: Shipment): ShippedArtifact {
  switch (shipment.kind) {
    case "component":
      return new ShippedComponentArtifact(shipment);
    case "module":
      return new ShippedModuleArtifact(shipment);
    default:
      return unreachable(shipment);
  }
}
