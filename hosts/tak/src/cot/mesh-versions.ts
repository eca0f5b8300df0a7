/**
 * Which version of the protocol to send to a mesh: the highest that every known contact reads (protocol.txt, "Mesh
 * Network Protocol Negotiation", rules 3 and 4). Contacts are kept by the address that they send from, and forgotten
 * when they fall silent; their number is bounded, since anyone can send from anywhere.
 */

import type { TakControl } from "./tak-message.ts";

/** Rule 3c: without another word, what a contact said of its versions holds for two minutes. */
const CONTROL_HOLDS_MS = 120_000;
/** A contact that has been silent for so long is gone; clients announce themselves at least each minute. */
const CONTACT_HOLDS_MS = 300_000;
/** Above that the one silent the longest is forgotten. */
const CONTACTS_MAX = 4096;

interface Contact {
  /** Of its last message. */
  version: 0 | 1;
  heardMs: number;
  /** What it said that it reads, and when. */
  versionMin: number;
  versionMax: number;
  controlMs: number;
}

export class MeshVersions {
  // In the order in which they were last heard.
  readonly #contacts = new Map<string, Contact>();

  get contacts(): number {
    return this.#contacts.size;
  }

  /** A datagram came; `control` is what it said of versions, if it did. */
  hear(address: string, version: 0 | 1, control: TakControl | undefined, nowMs: number): void {
    const contact = this.#contacts.get(address) ?? {
      version,
      heardMs: nowMs,
      versionMin: version,
      versionMax: version,
      controlMs: Number.NEGATIVE_INFINITY,
    };
    contact.version = version;
    contact.heardMs = nowMs;
    if (control !== undefined) {
      contact.versionMin = control.versionMin;
      contact.versionMax = control.versionMax;
      contact.controlMs = nowMs;
    }
    this.#contacts.delete(address);
    this.#contacts.set(address, contact);
    this.#forget(nowMs);
  }

  /** The version to send in: 1, or 0 for XML as soon as one contact does not read 1. */
  versionToSend(nowMs: number): 0 | 1 {
    this.#forget(nowMs);
    for (const contact of this.#contacts.values()) {
      const holds = nowMs - contact.controlMs <= CONTROL_HOLDS_MS;
      const min = holds ? contact.versionMin : contact.version;
      const max = holds ? contact.versionMax : contact.version;
      if (min > 1 || max < 1) return 0;
    }
    return 1;
  }

  #forget(nowMs: number): void {
    for (const [address, { heardMs }] of this.#contacts) {
      if (nowMs - heardMs <= CONTACT_HOLDS_MS && this.#contacts.size <= CONTACTS_MAX) return;
      this.#contacts.delete(address);
    }
  }
}
