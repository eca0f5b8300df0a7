/**
 * The store routines of one context: instances of small modules around its memory and allocator. Making one takes as
 * long as some hundred records, so it happens when a context has stored that many.
 */

import type { CoreFunction, RoutineEngine } from "../core.ts";
import type { Context } from "./context.ts";
import { isOptional, stringOffset } from "./record-field.ts";
import { type RoutineImports, routineExport, routineModule } from "./routine-module.ts";
import type { StringRun } from "./string-run.ts";
import { growStringAt, storeStringAt } from "./strings.ts";

/** The publisher chooses how many strings its records have: those of further runs are stored one by one. */
const routinesMax = 64;

export class Routines {
  readonly #cx: Context;
  readonly #guest: RoutineImports["guest"] | undefined;
  /** Undefined when there are no routines: for another encoding, or where the platform lacks what they need. */
  #engine: RoutineEngine | undefined;
  #usesLeft: number;
  readonly #made: (CoreFunction | undefined)[] = [];

  constructor(cx: Context, guest: RoutineImports["guest"] | undefined) {
    this.#cx = cx;
    this.#guest = guest;
    this.#engine = cx.encoding === "utf8" ? cx.engine.routines : undefined;
    this.#usesLeft = this.#engine?.usesBefore ?? 0;
  }

  /** The routine for a run; undefined as long as its fields are to be stored one by one. */
  of(run: StringRun): CoreFunction | undefined {
    return this.#made[run.routine] ?? this.#make(run);
  }

  #make(run: StringRun): CoreFunction | undefined {
    if (this.#engine === undefined || this.#guest === undefined || run.routine >= routinesMax)
      return undefined;
    if (this.#usesLeft-- > 0) return undefined;
    const imports = { guest: { ...this.#guest }, host: { ...hostImports(this.#cx) } };
    const exports = this.#engine.instantiate(moduleOf(run), imports);
    if (exports === undefined) {
      this.#engine = undefined;
      return undefined;
    }
    const routine = exports[routineExport] as CoreFunction; // The module's one routine.
    this.#made[run.routine] = routine;
    return routine;
  }
}

/** Core values are signed. */
function hostImports(cx: Context): RoutineImports["host"] {
  return {
    storeLong: (text, at) => storeStringAt(cx, text, at >>> 0),
    growToUtf8: (text, pointer, at) => growStringAt(cx, text, pointer >>> 0, at >>> 0),
    refusePointer: (pointer, size) => cx.refusePointer(pointer >>> 0, 1, size >>> 0),
  };
}

/** Plugins of one world have the same records: their modules are compiled once, for as many shapes as this. */
const shapesMax = 256;
const modules = new Map<string, Uint8Array>();

function moduleOf({ fields }: StringRun): Uint8Array {
  const places = fields.map((field) => ({
    at: stringOffset(field),
    discriminant: isOptional(field.kind) ? field.offset : undefined,
  }));
  const shape = JSON.stringify(places);
  let module = modules.get(shape);
  if (module === undefined) {
    if (modules.size >= shapesMax) modules.clear();
    module = routineModule(places);
    modules.set(shape, module);
  }
  return module;
}
