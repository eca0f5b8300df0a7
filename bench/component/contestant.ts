/** Who takes part: each makes callable exports out of the same bytes, in its own way. */

/** Exports by interface or function name: what all of them agree on. */
// biome-ignore lint/suspicious/noExplicitAny: exports of worlds that only exist at run time
export type Exports = Readonly<Record<string, any>>;

export type Imports = Record<string, Record<string, unknown>>;

export interface Opened {
  readonly exports: Exports;
  /** Only ours know that an instance is not needed any more. */
  close?(): void;
}

export interface Contestant {
  readonly name: string;
  /** With a limit on what a call may spend. */
  readonly hasLimits: boolean;
  /** Decodes, or transpiles and imports, and compiles: all that is done once for a component. */
  prepare(component: Uint8Array, imports?: Imports): Promise<() => Opened>;
  /** Forgets what an earlier `prepare` has kept of the component, so that the next does all of the work again. */
  forget?(): void;
}
