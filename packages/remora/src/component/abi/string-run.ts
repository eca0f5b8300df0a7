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

export function storeStrings(run: StringRun, cx: Context, first: number, pointer: number): void {
  const routine = cx.routines.of(run);
  if (routine !== undefined) {
    callRoutine(routine, pointer, cx.kept, first + run.place);
    cx.refreshIfDetached();
    return;
  }
  const { fields } = run;
  for (let index = 0; index < fields.length; index++) {
    storeField(fields[index] as RecordField, cx, cx.kept[first + run.place + index], pointer); // In bounds.
  }
}

/** Several records in a row, and what was kept of them. */
export interface Rows {
  readonly count: number;
  /** Where the kept values of the first begin, and how many each record has. */
  readonly first: number;
  readonly width: number;
  /** Where the first lies, and how many bytes each record has. */
  readonly pointer: number;
  readonly size: number;
}

/** Record by record, since that is the order in which the guest's allocator is asked. */
export function storeStringsOfAll(
  runs: readonly StringRun[],
  cx: Context,
  { count, first, width, pointer, size }: Rows,
): void {
  const [run] = runs;
  const routine = run && runs.length === 1 ? cx.routines.of(run) : undefined;
  if (run !== undefined && routine !== undefined) {
    const { kept } = cx;
    let from = first + run.place;
    let to = pointer;
    for (let index = 0; index < count; index++) {
      callRoutine(routine, to, kept, from);
      from += width;
      to += size;
    }
    cx.refreshIfDetached();
    return;
  }
  for (let index = 0; index < count; index++) {
    for (const each of runs) storeStrings(each, cx, first + index * width, pointer + index * size);
  }
}

/** Always as many as there may be: it does not look at those that it stores nowhere. */
function callRoutine(routine: CoreFunction, pointer: number, kept: readonly unknown[], at: number): void {
  routine(
    pointer,
    kept[at],
    kept[at + 1],
    kept[at + 2],
    kept[at + 3],
    kept[at + 4],
    kept[at + 5],
    kept[at + 6],
    kept[at + 7],
  );
}
