/**
 * Coded errors. Each layer has one table, `errors.ts`, made by `defineErrors`: an entry says whose fault the
 * error is and builds its sentence from facts, so that a call site supplies facts and never prose.
 */

/** Who has to act: the running guest, whoever published the plugin, the operator of the host, or we. */
export type Fault = "guest" | "publisher" | "operator" | "platform";

/** What is thrown. Compare `code`, never `message`; `details` are the facts that the sentence was made of. */
export class RemoraError<Code extends string = string, Details = unknown> extends Error {
  readonly code: Code;
  readonly fault: Fault;
  readonly details: Details;

  constructor(options: { code: Code; fault: Fault; message: string; details: Details; cause?: unknown }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RemoraError";
    this.code = options.code;
    this.fault = options.fault;
    this.details = options.details;
  }
}

interface ErrorEntry<Details> {
  /** A function of the facts where it depends on what lies behind the error. */
  readonly fault: Fault | ((details: Details) => Fault);
  readonly message: (details: Details) => string;
}

// `any` because a table holds entries of different details; the mapped type below gives each its own back.
// biome-ignore lint/suspicious/noExplicitAny: see above
type ErrorTable = Record<string, ErrorEntry<any>>;

type DetailsOf<Entry> = Entry extends ErrorEntry<infer Details> ? Details : never;

/** A layer's error constructors, by name; `codes` lists them for the documents' test. */
export type ErrorConstructors<Layer extends string, Table extends ErrorTable> = {
  readonly [Name in keyof Table & string]: (
    details: DetailsOf<Table[Name]>,
    cause?: unknown,
  ) => RemoraError<`${Layer}/${Name}`, DetailsOf<Table[Name]>>;
};

/**
 * Makes a layer's error constructors.
 *
 * @param layer The first half of each code: `engine` gives `engine/out-of-fuel`.
 * @param table Name, fault and sentence of each error.
 */
export function defineErrors<const Layer extends string, Table extends ErrorTable>(
  layer: Layer,
  table: Table,
): ErrorConstructors<Layer, Table> {
  const constructors: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(table)) {
    constructors[name] = (details: unknown, cause?: unknown) =>
      new RemoraError({
        code: `${layer}/${name}`,
        fault: typeof entry.fault === "function" ? entry.fault(details) : entry.fault,
        message: entry.message(details),
        details,
        cause,
      });
  }
  // The loop above made one constructor for each key of the table, which is what the type says.
  return constructors as ErrorConstructors<Layer, Table>;
}

/** True for an error of ours, and with `code` for that one alone. */
export function isRemoraError(error: unknown, code?: string): error is RemoraError {
  return error instanceof RemoraError && (code === undefined || error.code === code);
}
