/** An export that is called with texts. The table of a module's exports is slow to look into, so that each is looked up once. */

import type { CoreFunctions } from "../engine/index.ts";

type CoreFunction = CoreFunctions[string];

export class CalledExport {
  readonly name: string;
  /** What it returns, as errors call it. */
  readonly result: string;
  readonly answer: string;
  #function: CoreFunction = missing;
  #parameters = 0;

  constructor(name: string) {
    this.name = name;
    this.result = `the result of "${name}"`;
    this.answer = `the answer of "${name}"`;
  }

  /** To be called at the beginning of a call, with the functions that it may use. */
  find(functions: CoreFunctions): void {
    if (this.#function !== missing) return;
    this.#function = functions[this.name] ?? missing;
    this.#parameters = this.#function.length;
  }

  /** How many it takes, once it was found. */
  get parameters(): number {
    return this.#parameters;
  }

  /** What its call needs; V8 ignores what is too much. */
  get function(): CoreFunction {
    return this.#function;
  }
}

const missing: CoreFunction = () => undefined;
