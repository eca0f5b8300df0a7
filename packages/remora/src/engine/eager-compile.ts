/**
 * V8 compiles a function inside its first call, where no deadline reaches. A module of more than a few functions is
 * therefore compiled whole while it is loaded (sql.js takes 40 ms for that), by a flag that is set around its
 * compilation. Flags are the process's own: what else is compiled while the event loop turns is compiled whole as well.
 */

import { setFlagsFromString } from "node:v8";
import type { Eagerly } from "./compile.ts";

let compiling = 0;

export const eagerlyByFlag: Eagerly = (compile) => {
  if (compiling++ === 0) setFlagsFromString("--no-wasm-lazy-compilation");
  let isPromised = false;
  try {
    const result = compile();
    isPromised = result instanceof Promise;
    // Whoever waits for the result hears of a failure.
    if (result instanceof Promise) result.then(done, done);
    return result;
  } finally {
    if (!isPromised) done();
  }
};

function done(): void {
  if (--compiling === 0) setFlagsFromString("--wasm-lazy-compilation");
}
