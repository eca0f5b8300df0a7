// Errors.

// Small ideas.
export type { Brand } from "./brand.ts";
export { didYouMean, nearNames } from "./did-you-mean.ts";
export { defineErrors, type ErrorConstructors, type Fault, isRemoraError, RemoraError } from "./errors.ts";
export { Few } from "./few.ts";
// Our own mistakes.
export { invariant, unreachable } from "./invariant.ts";
export { joinedBytes } from "./joined-bytes.ts";
export { listedMax } from "./listed.ts";
export { type OpenFile, type Reading, readBounded } from "./read-bounded.ts";
export { finish, type Steps } from "./steps.ts";
export { timerMsMax } from "./timer.ts";
