/**
 * Every bound on what the decoder and the rewriter do for one module, with its source. The publisher controls
 * the bytes; the operator may lower any of these.
 */

export interface DecodeLimits {
  /** Bytes of the whole module. */
  readonly moduleBytes: number;
  /** Bytes of one function body, locals included. */
  readonly bodyBytes: number;
  /** Work of compiling one function; the unit is at `compileWork`. */
  readonly bodyWork: number;
  /**
   * Work of compiling all functions, about a byte of plain code each: a byte of code; a local or operand at each place
   * where control parts or meets; what a call moves, and a 64th of its square.
   */
  readonly compileWork: number;
  /** Locals of one function, parameters included. */
  readonly locals: number;
  /** Blocks inside one another. */
  readonly nesting: number;
  /** All types, those in recursion groups counted one by one. */
  readonly types: number;
  readonly functions: number;
  readonly imports: number;
  readonly exports: number;
  readonly globals: number;
  readonly tables: number;
  readonly memories: number;
  readonly tags: number;
  /** Values that one exception carries. */
  readonly tagParameters: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
  /** Entries of one element segment. */
  readonly segmentElements: number;
  /** Labels of one `br_table`. */
  readonly branchTableLabels: number;
  /** Parameters of one function type. */
  readonly parameters: number;
  /** Results of one function type. */
  readonly results: number;
  /** Fields of one struct type. */
  readonly structFields: number;
  /** Bytes of one name: import, export, custom section. */
  readonly nameBytes: number;
  /** Custom sections. */
  readonly customSections: number;
}

/**
 * Where V8 14 has a limit of its own (src/wasm/wasm-limits.h, which follows the WebAssembly JavaScript
 * Interface, "Limits") these are no higher; body size and nesting are ours, lower, because V8 compiles a function
 * lazily inside its first call and cannot be interrupted there.
 */
export const defaultDecodeLimits: DecodeLimits = {
  // V8: 1 GiB. Ours: rewriting 64 MiB takes about a second.
  moduleBytes: 64 * 1024 * 1024,
  // V8: 7,654,321. Ours: baseline compilation of 1 MB of divisions took 110 ms inside the first call; the
  // largest function found in npm packages has 181,477 bytes.
  bodyBytes: 512 * 1024,
  // The largest in npm packages is 0.7 million; V8's optimizing compiler takes up to 230 bytes a unit.
  bodyWork: 2_000_000,
  // 64 million units are some five seconds of V8's baseline compiler; the largest in npm packages has 6 million.
  compileWork: 64_000_000,
  // V8: 50,000. Ours: Liftoff spends 8 bytes of stack on each.
  locals: 10_000,
  // V8 has none of its own; clang's largest interpreters stay below 1,000.
  nesting: 4_096,
  // V8: 1,000,000, but it keeps the types of all modules for the life of the process, which it ends at 2,000,000.
  types: 10_000,
  // V8: 1,000,000 of each. Ours: every function, export and global of an instance takes 100 to 500 bytes of the process.
  functions: 250_000,
  imports: 100_000,
  exports: 50_000,
  globals: 100_000,
  // V8: 100,000.
  tables: 1_000,
  // V8: 100,000, but it reserves gigabytes of addresses for each, and has room for some 16,000 in a process.
  memories: 16,
  // V8: 1,000,000.
  tags: 1_000,
  // V8: 1,000. Ours: an exception is on the heap of the process, and a guest can hold one in each stack slot.
  tagParameters: 16,
  // V8: 10,000,000 and 100,000.
  elementSegments: 100_000,
  dataSegments: 100_000,
  segmentElements: 10_000_000,
  branchTableLabels: 65_520,
  parameters: 1_000,
  results: 1_000,
  structFields: 10_000,
  // V8: 100,000. It finds a string of more than 16,383 characters by its length alone (Name::kMaxHashCalcLength), so that looking up
  // some hundred such names took minutes; and some keys are made of two names.
  nameBytes: 8_000,
  customSections: 10_000,
};
