/**
 * V8 compiles a function inside its first call, where no deadline reaches. A module of more than a few functions is
 * therefore compiled whole while it is loaded (sql.js takes 40 ms for that), by a flag that is set around its
 * compilation. Flags are the process's own, but nothing else is compiled meanwhile: the compilation does not yield.
 */

import { setFlagsFromString } from "node:v8";
import type { Eagerly } from "./compile.ts";

export const eagerlyByFlag: Eagerly = (compile) => {
  setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    return compile();
  } finally {
    setFlagsFromString("--wasm-lazy-compilation");
  }
};
