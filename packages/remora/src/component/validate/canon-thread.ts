/** Canonical functions that make threads (CanonicalABI.md, "canon thread.new-indirect" and "canon thread.spawn-…"). */

import type { AddressType } from "../abi/address.ts";
import { componentErrors } from "../errors.ts";
import { at } from "../link/type-scope.ts";
import type { CanonBody } from "../model.ts";
import { signature } from "./core-module.ts";
import type { CoreExtern } from "./entity.ts";
import type { ComponentScope } from "./scope.ts";

type Builtin = Extract<CanonBody, { kind: "builtin" }>;

/** Threads that run beside each other need functions and tables that are shared, which V8 does not have. */
export function refuseShared({ name, isFlagged }: Builtin, offset: number): void {
  if (name === "thread.spawn-ref" || (isFlagged && /^thread\.(spawn|available)/.test(name)))
    throw componentErrors.unsupported({ what: `canonical function ${name}`, offset });
}

/** @returns the core function that makes a thread out of an index into a table and what it is to get */
export function checkNewThread(body: Builtin, scope: ComponentScope, offset: number): CoreExtern {
  const table = at(scope.core.table, body.table ?? -1, "core table", offset);
  if (table.kind !== "table" || table.element !== "funcref")
    throw componentErrors.invalid({ what: `${body.name} from a table of no functions`, offset });
  const index = table.is64 ? "i64" : "i32";
  return { kind: "func", signature: signature(`${index} ${argumentOf(body, scope, offset)}`, "i32") };
}

function argumentOf(body: Builtin, scope: ComponentScope, offset: number): AddressType {
  const type = at(scope.coreTypes, body.type ?? -1, "core type", offset);
  if (type.kind === "func" && type.params.length === 1 && type.results.length === 0) {
    const [argument] = type.params;
    if (argument === "i32" || argument === "i64") return argument;
  }
  throw componentErrors.invalid({
    what: `${body.name} of a function that does not take an i32 or i64`,
    offset,
  });
}
