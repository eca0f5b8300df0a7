/**
 * What a host function gives to a core module. V8 makes a number of anything: a promise that nobody announced, or a text, would
 * silently be zero. What JavaScript's own conversions mean well, booleans and nothing at all, passes.
 */

import { engineErrors } from "./errors.ts";
import type { ModuleImport } from "./module-imports.ts";

const numbers = ["i32", "i64", "f32", "f64"] as const;

/**
 * Looks at results that are no number. Undefined where the guest does not expect one number.
 *
 * @throws engine/host-result, from the look
 */
export function numberCheck(
  { module, name, results }: ModuleImport,
  plugin: string,
): ((result: unknown) => unknown) | undefined {
  const type = numbers.find((number) => number === results[0]);
  if (type === undefined || results.length > 1) return undefined;
  return (result) => {
    switch (typeof result) {
      case "bigint":
      case "boolean":
      case "undefined":
        return result;
      default:
        if (result === null) return result;
        throw engineErrors["host-result"]({ plugin, from: module, name, type, ...wrong(result) });
    }
  };
}

function wrong(result: unknown): { readonly given: string; readonly hint: string } {
  if (result instanceof Promise)
    return { given: "a promise", hint: ", or a function marked by asyncHostFunction" };
  return { given: Array.isArray(result) ? "an array" : `a value of type ${typeof result}`, hint: "" };
}
