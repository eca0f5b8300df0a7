/**
 * What a host function gives to a core module. V8 makes a number of anything: a promise that nobody announced, or a text, would
 * silently be zero. And what it refuses itself, a number for an i64, it throws where the guest can catch it. What JavaScript's own
 * conversions mean well, booleans and nothing at all, passes. Where nothing is expected, anything passes but a promise: the guest
 * would go on before it is kept.
 */

import type { RemoraError } from "../base/index.ts";
import { isThenable, letGoOfPromise } from "../component/async-host.ts";
import { engineErrors } from "./errors.ts";
import type { ModuleImport } from "./module-imports.ts";

export interface ResultCheck {
  /** Whether a number passes, and nothing at all, so that neither need be looked at. */
  readonly takesNumbers: boolean;
  /** Gives back what fits. @throws engine/host-result */
  readonly look: (result: unknown) => unknown;
}

type Wrong = (expected: string, result: unknown, given?: string, hint?: string) => RemoraError;

/** Undefined where V8 looks itself. */
export function resultCheck(
  { module, name, results }: Pick<ModuleImport, "module" | "name" | "results">,
  plugin: string,
): ResultCheck | undefined {
  const wrong: Wrong = (expected, result, given = kindOf(result), hint = "") => {
    const facts = { plugin, from: module, name, expected, given };
    if (!isThenable(result)) return engineErrors["host-result"]({ ...facts, hint });
    letGoOfPromise(result);
    return engineErrors["host-result"]({ ...facts, hint: ", or a function marked by asyncHostFunction" });
  };
  if (results.length === 0) return { takesNumbers: true, look: (result) => nothing(result, wrong) };
  const looks = results.map((type) => lookFor(type, wrong));
  if (looks.length > 1) return { takesNumbers: false, look: (result) => several(result, looks, wrong) };
  const [look] = looks;
  return look && { takesNumbers: results[0] !== "i64", look };
}

function lookFor(type: ModuleImport["results"][number], wrong: Wrong): ResultCheck["look"] | undefined {
  switch (type) {
    case "i64":
      return (result) => {
        if (typeof result === "bigint" || typeof result === "boolean") return result;
        throw wrong("one i64", result, undefined, ", which is a bigint");
      };
    case "i32":
    case "f32":
    case "f64":
      return (result) => {
        if (
          typeof result === "number" ||
          typeof result === "boolean" ||
          result === undefined ||
          result === null
        )
          return result;
        throw wrong(`one ${type}`, result);
      };
    default:
      return undefined; // V8 takes anything for a reference, or refuses it for what it is.
  }
}

function nothing(result: unknown, wrong: Wrong): unknown {
  if (isThenable(result)) throw wrong("nothing", result);
  return result;
}

/** V8 takes them from whatever can be iterated over. */
function several(
  result: unknown,
  looks: readonly (ResultCheck["look"] | undefined)[],
  wrong: Wrong,
): readonly unknown[] {
  const expected = `${looks.length} values`;
  if (typeof result !== "object" || result === null || !(Symbol.iterator in result))
    throw wrong(expected, result);
  const values = [...(result as Iterable<unknown>)]; // It has the method; if that is none, this says so.
  if (values.length !== looks.length) throw wrong(expected, result, `${values.length}`);
  return values.map((value, index) => looks[index]?.(value) ?? value);
}

function kindOf(result: unknown): string {
  if (isThenable(result)) return "a promise";
  if (result === undefined || result === null) return "nothing";
  return Array.isArray(result) ? "an array" : `a value of type ${typeof result}`;
}
