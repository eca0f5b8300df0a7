/** Topics of the bus, and patterns of them. A guest chooses both, and how often they are compared. */

import { targetKinds } from "../../policy/index.ts";

const { pattern: form } = targetKinds;

/** Each star can make a comparison start over; more of them say nothing that fewer do not. */
export const starsMax = 8;

/** A topic is a pattern without `*`: it names one thing. */
export function isTopic(text: string): boolean {
  return form.canonical(text) !== undefined && !text.includes("*");
}

export function isTopicPattern(text: string): boolean {
  return form.canonical(text) !== undefined && text.split("*").length - 1 <= starsMax;
}

export function patternCovers(pattern: string, topic: string): boolean {
  return form.covers(pattern, topic);
}
