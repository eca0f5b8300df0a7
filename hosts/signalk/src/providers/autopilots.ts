/** Autopilots, by the name of the device: each belongs to one plugin, and the first is the default. */

import type { AutopilotRegistration } from "../server-port.ts";

/** What stands for the default in an address. */
const defaultName = "_default";

export interface FoundAutopilot {
  readonly device: string;
  readonly registration: AutopilotRegistration;
}

export class Autopilots {
  readonly #byDevice = new Map<string, AutopilotRegistration>();
  #chosen: string | undefined;

  /** A device that somebody has already stays theirs. */
  register(registration: AutopilotRegistration): () => void {
    for (const device of registration.devices) {
      if (!this.#byDevice.has(device)) this.#byDevice.set(device, registration);
    }
    return () => {
      for (const [device, owner] of this.#byDevice) {
        if (owner === registration) this.#byDevice.delete(device);
      }
    };
  }

  get defaultDevice(): string | undefined {
    if (this.#chosen !== undefined && this.#byDevice.has(this.#chosen)) return this.#chosen;
    return this.#byDevice.keys().next().value;
  }

  /** @returns false when there is no such device */
  choose(device: string): boolean {
    if (!this.#byDevice.has(device)) return false;
    this.#chosen = device;
    return true;
  }

  /** @param name Of a device, or `_default`. */
  find(name: string): FoundAutopilot | undefined {
    const device = name === defaultName ? this.defaultDevice : name;
    const registration = device === undefined ? undefined : this.#byDevice.get(device);
    return device === undefined || registration === undefined ? undefined : { device, registration };
  }

  /** As the interface lists them. */
  list(): Record<string, { provider: string; isDefault: boolean }> {
    const { defaultDevice } = this;
    return Object.fromEntries(
      [...this.#byDevice].map(([device, { plugin }]) => [
        device,
        { provider: plugin, isDefault: device === defaultDevice },
      ]),
    );
  }
}
