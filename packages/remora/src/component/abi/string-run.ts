/**
 * Strings of a record that are stored by one routine in WebAssembly (`routine-module.ts`), so that seven of them are
 * one call into the guest and not seven. Between two strings of a run nothing else is allocated: the guest's allocator
 * sees the order of the fields.
 */

import type { CoreFunction } from "../core.ts";
import type { Context } from "./context.ts";
import { type RecordField, storeField } from "./record-field.ts";

export interface StringRun {
  readonly fields: readonly RecordField[];
  /** Where the first of them is among the kept values of the record; the others come right after it. */
  readonly place: number;
  /** Number of the routine that stores the run, among those of the component. */
  readonly routine: number;
}

/** `callRoutine` has a line for each number of strings up to here. */
export const runStringsMax = 10;

export function storeStrings(run: StringRun, cx: Context, first: number, pointer: number): void {
  const routine = cx.routines.of(run);
  if (routine !== undefined) {
    callRoutine(routine, run.fields.length, pointer, cx.kept, first + run.place);
    cx.refreshIfDetached();
    return;
  }
  const { fields } = run;
  for (let index = 0; index < fields.length; index++) {
    storeField(fields[index] as RecordField, cx, cx.kept[first + run.place + index], pointer); // In bounds.
  }
}

/** Written out, since spreading a list into arguments takes as long as storing three short strings. */
function callRoutine(
  store: CoreFunction,
  count: number,
  pointer: number,
  kept: readonly unknown[],
  at: number,
): void {
  const a = kept[at];
  if (count === 1) {
    store(pointer, a);
    return;
  }
  const b = kept[at + 1];
  const c = kept[at + 2];
  const d = kept[at + 3];
  switch (count) {
    case 2:
      store(pointer, a, b);
      return;
    case 3:
      store(pointer, a, b, c);
      return;
    case 4:
      store(pointer, a, b, c, d);
      return;
  }
  const e = kept[at + 4];
  const f = kept[at + 5];
  const g = kept[at + 6];
  switch (count) {
    case 5:
      store(pointer, a, b, c, d, e);
      return;
    case 6:
      store(pointer, a, b, c, d, e, f);
      return;
    case 7:
      store(pointer, a, b, c, d, e, f, g);
      return;
    case 8:
      store(pointer, a, b, c, d, e, f, g, kept[at + 7]);
      return;
    case 9:
      store(pointer, a, b, c, d, e, f, g, kept[at + 7], kept[at + 8]);
      return;
    default:
      store(pointer, a, b, c, d, e, f, g, kept[at + 7], kept[at + 8], kept[at + 9]);
  }
}
