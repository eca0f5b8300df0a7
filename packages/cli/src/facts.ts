/** What a command found or did, for people: a label and a value a line. */

import { harmless } from "remora/policy";

export type Fact = readonly [label: string, value: string];

const LABEL_WIDTH = 10;
/** Publishers choose most of the values. */
export const CELL_LENGTH_MAX = 1_000;

export function factLines(rows: readonly Fact[]): string[] {
  return rows.map(([label, value]) => `${label.padEnd(LABEL_WIDTH)}${harmless(value, CELL_LENGTH_MAX)}`);
}

/** A line an item, labelled once. */
export function listed<Item>(label: string, items: readonly Item[], show: (item: Item) => string): Fact[] {
  return items.map((item, at) => [at === 0 ? label : "", show(item)]);
}
