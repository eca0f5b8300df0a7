/** Thrown when a compiler refuses a plugin: `message` is what it printed. */
export class CompileError extends Error {
  override readonly name = "CompileError";
}
