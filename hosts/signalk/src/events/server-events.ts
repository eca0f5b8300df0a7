/** Who listens to which events of the small server. */

import { type Listener, Listeners } from "../listeners.ts";
import type { ServerEvent } from "./event-types.ts";

export class ServerEvents {
  readonly #listeners = new Listeners<ServerEvent>();

  /** Gives back what ends it. */
  on(type: string, listen: Listener<ServerEvent>): () => void {
    return this.#listeners.listen(type, listen);
  }

  emit(event: ServerEvent): void {
    this.#listeners.emit(event.type, event);
  }
}
