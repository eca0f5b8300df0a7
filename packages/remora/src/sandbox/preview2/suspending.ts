/**
 * Interfaces whose functions may give promises, for guests that the engine can put aside. The marks are one sandbox's,
 * while the classes are everybody's: so a class with such methods is given as a derived one, and what it makes
 * elsewhere counts as an instance of it, too.
 */

import {
  asyncHostFunction,
  camelCase,
  isSlowHostFunction,
  pascalCase,
  slowHostFunction,
} from "../../component/index.ts";
import type { HostInterface } from "./interfaces.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Class = new (...args: never[]) => object;

/** @param names Of functions, as WIT writes them: `poll`, `[method]pollable.block`. */
export function suspendingInterface(host: HostInterface, names: readonly string[]): HostInterface {
  const marked: Record<string, unknown> = { ...host };
  const methods = new Map<string, string[]>();
  for (const name of names) {
    const [, resource, method] = /^\[method\](.+)\.(.+)$/.exec(name) ?? [];
    if (resource === undefined || method === undefined) {
      const key = camelCase(name);
      marked[key] = markedFunction(host[key] as Method); // the table of interfaces names what there is
    } else {
      const key = pascalCase(resource);
      methods.set(key, [...(methods.get(key) ?? []), camelCase(method)]);
    }
  }
  for (const [key, ofClass] of methods) marked[key] = withMarkedMethods(host[key] as Class, ofClass);
  return marked;
}

function withMarkedMethods(Base: Class, names: readonly string[]): Class {
  class Suspending extends Base {
    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Base;
    }
  }
  const prototype = Base.prototype as Record<string, Method>; // its methods by name
  for (const name of names) {
    Object.defineProperty(Suspending.prototype, name, { value: markedFunction(prototype[name] as Method) });
  }
  return Suspending;
}

/** A function of its own, so that the mark is not on what other sandboxes have as well. */
function markedFunction(plain: Method): Method {
  const marked = asyncHostFunction(function (this: unknown, ...args: unknown[]) {
    return plain.apply(this, args);
  });
  return isSlowHostFunction(plain) ? slowHostFunction(marked) : marked;
}
