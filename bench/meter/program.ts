/** Something to benchmark: loaded once a variant, then run many times; its output is compared between variants. */

import type { Loader } from "./loaders.ts";

export interface Program {
  readonly name: string;
  /** The npm package that the module comes from, when it is not ours. */
  readonly source?: string;
  /** It consists of modules that call each other, and so share their counters. */
  readonly hasSeveralModules?: boolean;
  readonly load: (loader: Loader) => Promise<() => string>;
}
