/** Autopilots, by the name of the device: each belongs to one plugin, and the first is the default. */

import type { AutopilotRegistration } from "../server-port.ts";
import { Choices } from "./choices.ts";

/** What stands for the default in an address. */
const defaultName = "_default";

export interface FoundAutopilot {
  readonly device: string;
  readonly registration: AutopilotRegistration;
}

export class Autopilots {
  readonly #devices = new Choices<AutopilotRegistration>();

  /** A device that somebody has already stays theirs. */
  register(registration: AutopilotRegistration): () => void {
    for (const device of registration.devices) {
      if (!this.#devices.byName.has(device)) this.#devices.byName.set(device, registration);
    }
    return () => {
      for (const [device, owner] of this.#devices.byName) {
        if (owner === registration) this.#devices.byName.delete(device);
      }
    };
  }

  get defaultDevice(): string | undefined {
    return this.#devices.defaultName;
  }

  /** @returns false when there is no such device */
  choose(device: string): boolean {
    return this.#devices.choose(device);
  }

  /** @param name Of a device, or `_default`. */
  find(name: string): FoundAutopilot | undefined {
    const device = name === defaultName ? this.defaultDevice : name;
    const registration = device === undefined ? undefined : this.#devices.byName.get(device);
    return device === undefined || registration === undefined ? undefined : { device, registration };
  }

  /** As the interface lists them. */
  list(): Record<string, { provider: string; isDefault: boolean }> {
    const { defaultDevice } = this;
    return Object.fromEntries(
      [...this.#devices.byName].map(([device, { plugin }]) => [
        device,
        { provider: plugin, isDefault: device === defaultDevice },
      ]),
    );
  }
}
