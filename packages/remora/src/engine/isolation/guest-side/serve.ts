/**
 * The guest's side of the wall: does what the host's messages say, one after another, in a thread or process of its
 * own. It holds the artifacts that were shipped to it and their live instances, by the numbers that the host gave.
 */

import { invariant, unreachable } from "../../../base/index.ts";
import { PacketMemory } from "../../../component/packet-memory.ts";
import type { Eagerly } from "../../compile.ts";
import { packetEngine } from "../../packet-engine.ts";
import { encodeReport } from "../error-report.ts";
import { answers, type GuestChannel, kinds, type Message, message } from "../protocol.ts";
import type { Shipment } from "../shipment.ts";
import { Failures } from "./failures.ts";
import type { HostCaller, LiveGuest, ShippedArtifact } from "./live-guest.ts";
import { ShippedComponentArtifact } from "./shipped-component.ts";
import { ShippedModuleArtifact } from "./shipped-module.ts";

export class GuestSide {
  readonly #channel: GuestChannel;
  readonly #eagerly: Eagerly | undefined;
  readonly #failures = new Failures();
  readonly #artifacts = new Map<number, ShippedArtifact>();
  readonly #guests = new Map<number, LiveGuest>();
  readonly #packetMemory = new PacketMemory(packetEngine.routines);
  readonly #argumentsMemory = new PacketMemory(packetEngine.routines);
  /** Calls that wait for the host. */
  #waiting = 0;

  /** @param eagerly For modules that come as bytes; those that come compiled need nothing. */
  constructor(channel: GuestChannel, eagerly?: Eagerly) {
    this.#channel = channel;
    this.#eagerly = eagerly;
  }

  /** Carries out one message and gives the answer to it. */
  handle(received: Message): Message | Promise<Message> {
    const { kind, target } = received;
    switch (kind) {
      case kinds.load:
        // The host's own.
        this.#artifacts.set(target, this.#artifactOf(this.#channel.shipment(received) as Shipment));
        return message(kinds.done);
      case kinds.instantiate:
        return this.#instantiate(received);
      case kinds.call:
        return this.#guest(target).run(received, this.#waiting > 0);
      case kinds.peek:
        return this.#guest(target).peek(received);
      case kinds.poke:
        return this.#guest(target).poke(received);
      case kinds.release:
        return this.#guest(target).letGoOf(received);
      case kinds.begin:
      case kinds.settle:
      case kinds.pull:
      case kinds.letGo:
      case kinds.cancel:
        // Closed while it was on the way: what it owes was given up there.
        return (
          this.#guests.get(target)?.handle(received) ?? message(kinds.events, { target: 1, first: Infinity })
        );
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
      const guest = artifact.instantiate({
        number: target,
        caller: this.#caller(target),
        failures: this.#failures,
        isStopped: () => this.#channel.isStopped(target),
        argumentsMemory: this.#argumentsMemory,
      });
      this.#guests.set(target, guest);
      return message(kinds.done);
    } catch (error) {
      return message(kinds.failed, { payload: encodeReport(this.#failures.report(error)) });
    }
  }

  /** Calls of the host by one instance: whatever the host wants done meanwhile is done on top. */
  #caller(number: number): HostCaller {
    return (call, engine) => {
      this.#waiting++;
      let received = this.#channel.exchange({ ...call, target: number });
      while (received.kind !== kinds.answer) {
        const answer = this.handle(received);
        // The host keeps back what needs more than this until nobody waits here.
        invariant(!(answer instanceof Promise), "what blocks does no asynchronous work");
        received = this.#channel.exchange(answer);
      }
      this.#waiting--;
      engine.forgive(received.first);
      if (received.item === answers.failed) throw this.#failures.ofAnswer(received.payload);
      return received;
    };
  }

  #artifactOf(shipment: Shipment): ShippedArtifact {
    switch (shipment.kind) {
      case "component":
        return new ShippedComponentArtifact(shipment, this.#packetMemory, this.#eagerly);
      case "module":
        return new ShippedModuleArtifact(shipment, this.#eagerly);
      default:
        return unreachable(shipment);
    }
  }
}
