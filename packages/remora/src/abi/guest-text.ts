/** Texts for guests. One that many guests get is written once, as most of them have it in memory, and copied into each. */

/** What is lent is asked for when a call begins, and used within it. */
export interface SharedText {
  /**
   * The text's UTF-16 units as they are in a guest's memory, two bytes each, the lower one first; or the text, where it is
   * not kept like that.
   */
  utf16(): string | Uint8Array;
  /** The same in UTF-8, a lone surrogate as U+FFFD. */
  utf8(): string | Uint8Array;
  /** The text. */
  toString(): string;
}

export type GuestText = string | SharedText;
