/**
 * A delta on its way to everybody who listens. Its text is written when the first of them wants it, and once for all: for
 * guests as they have it in memory, which is lent, and for whoever keeps it as a string.
 */

import type { SharedText } from "remora/abi";
import type { StampedDelta } from "./delta.ts";
import type { DeltaTexts, LentText } from "./delta-texts.ts";

export class Published implements SharedText {
  readonly delta: StampedDelta;
  /** 2: for version 2 of the interfaces alone, never a part of the full model of version 1. */
  readonly version: 1 | 2;
  #texts: DeltaTexts | undefined;
  #lent: LentText | undefined;
  #json: string | undefined;

  /** @param texts Where there may be guests among those who listen. */
  constructor(delta: StampedDelta, version: 1 | 2, texts?: DeltaTexts) {
    this.delta = delta;
    this.version = version;
    this.#texts = texts;
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.delta);
    return this.#json;
  }

  utf16(): string | Uint8Array {
    return this.#lend()?.utf16 ?? this.json;
  }

  utf8(): string | Uint8Array {
    return this.#lend()?.utf8 ?? this.json;
  }

  toString(): string {
    return this.json;
  }

  /** Everybody has been told. Who has kept it can still have its text, and is lent nothing, which nobody would take back. */
  told(): void {
    if (this.#lent !== undefined) this.#texts?.takeBack();
    this.#lent = undefined;
    this.#texts = undefined;
  }

  /** Where the string is there already, nothing is written once more. */
  #lend(): LentText | undefined {
    if (this.#lent === undefined && this.#json === undefined) this.#lent = this.#texts?.lend(this.delta);
    return this.#lent;
  }
}
