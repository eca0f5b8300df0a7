/**
 * How many streams and sockets are open at a time. Readers and those who may act have seats of their own, so that pages
 * that only look crowd out nobody who has to see what he does.
 */

import type { Role } from "../access/roles.ts";
import { adminErrors } from "../errors.ts";

export class StreamSeats {
  readonly #seatsMax: number;
  readonly #taken = { looking: 0, acting: 0 };

  /** @param seatsMax Of readers, and as many of all others. */
  constructor(seatsMax: number) {
    this.#seatsMax = seatsMax;
  }

  /** @returns Gives the seat back; to be called once. @throws admin/too-many-streams */
  take(role: Role): () => void {
    const of = role === "reader" ? "looking" : "acting";
    if (this.#taken[of] >= this.#seatsMax) {
      throw adminErrors["too-many-streams"]({ streamsMax: this.#seatsMax });
    }
    this.#taken[of]++;
    return () => void this.#taken[of]--;
  }
}
