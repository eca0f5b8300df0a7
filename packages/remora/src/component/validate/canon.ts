/** Canonical functions: their options, and the core function types that they take and give (CanonicalABI.md). */

import type { AddressType } from "../abi/address.ts";
import { coreSignature, flatSignature, flattenAll } from "../abi/layout.ts";
import { componentErrors } from "../errors.ts";
import { resolveRef } from "../link/type-scope.ts";
import type { CanonBody, CanonOptions } from "../model.ts";
import type { FuncType, ValueType } from "../types.ts";
import { checkNewThread, refuseShared } from "./canon-thread.ts";
import { signature } from "./core-module.ts";
import type { CoreExtern } from "./entity.ts";
import { hasPointer, takesPointer } from "./pointers.ts";
import type { ComponentScope } from "./scope.ts";
import { lends } from "./value-types.ts";

type Body<Kind extends CanonBody["kind"]> = Extract<CanonBody, { kind: Kind }>;

/** Of the memory that a canonical function uses; `i32` where it uses none. */
export function addressTypeOf(body: CanonBody, scope: ComponentScope, offset: number): AddressType {
  const index = "options" in body && body.options !== undefined ? body.options.memory : memoryOf(body);
  const memory = index === undefined ? undefined : scope.coreMemory(index, offset);
  return memory?.kind === "memory" && memory.is64 ? "i64" : "i32";
}

function memoryOf(body: CanonBody): number | undefined {
  return body.kind === "builtin" ? body.memory : undefined;
}

/** @returns the type of the lifted function */
export function checkLift(body: Body<"lift">, scope: ComponentScope, offset: number): FuncType {
  const type = scope.type(body.type, offset);
  if (type.kind !== "func") return fail(`type ${body.type} is not a function type`, offset);
  const { options } = body;
  const core = scope.coreFunc(body.func, offset);
  checkOptions(options, scope, offset);
  refuseWideLoans(type.type, scope, offset);
  const address = addressTypeOf(body, scope, offset);
  const flat = coreSignature(type.type, "lift", address);
  if (options.isAsync) {
    if (!type.type.isAsync) fail("option async for a function that is not async", offset);
    if (options.postReturn !== undefined) fail("options async and post-return together", offset);
  } else if (options.callback !== undefined) fail("option callback without async", offset);
  const results = options.isAsync ? (options.callback === undefined ? [] : ["i32"]) : flat.results;
  expectSignature(core, signature(flat.params.join(" "), results.join(" ")), "lifted core function", offset);
  if (options.callback !== undefined) {
    expectSignature(scope.coreFunc(options.callback, offset), "(i32 i32 i32) -> (i32)", "callback", offset);
  }
  if (options.postReturn !== undefined) {
    const wanted = signature(flat.results.join(" "), "");
    expectSignature(scope.coreFunc(options.postReturn, offset), wanted, "post-return function", offset);
  }
  const { params, results: resultFlat } = flatSignature(type.type, address);
  const isResultInMemory = !options.isAsync && resultFlat === undefined;
  // What is lowered needs an allocator; what is lifted only a memory to be read from.
  requireOptions(options, {
    memory:
      params === undefined || takesPointer(type.type) || isResultInMemory || hasPointer(type.type.result),
    realloc: params === undefined || takesPointer(type.type),
    offset,
  });
  return type.type;
}

/** @returns the core function that the guest calls */
export function checkLower(body: Body<"lower">, scope: ComponentScope, offset: number): CoreExtern {
  const type = scope.func(body.func, offset);
  const { options } = body;
  checkOptions(options, scope, offset);
  if (options.postReturn !== undefined) fail("option post-return for a lowered function", offset);
  if (options.callback !== undefined) fail("option callback for a lowered function", offset);
  if (options.isAsync && !type.isAsync) fail("option async for a function that is not async", offset);
  const address = addressTypeOf(body, scope, offset);
  const { params, results } = options.isAsync ? asyncSignature(type, address) : flatSignature(type, address);
  requireOptions(options, {
    memory: params === undefined || results === undefined || takesPointer(type) || hasPointer(type.result),
    realloc: hasPointer(type.result),
    offset,
  });
  if (!options.isAsync) {
    const flat = coreSignature(type, "lower", address);
    return { kind: "func", signature: signature(flat.params.join(" "), flat.results.join(" ")) };
  }
  const flat = [...(params ?? [address]), ...(type.result === undefined ? [] : [address])];
  return { kind: "func", signature: signature(flat.join(" "), "i32") };
}

/** CanonicalABI.md, MAX_FLAT_ASYNC_PARAMS. */
const flatAsyncParamsMax = 4;

function asyncSignature(type: FuncType, address: AddressType): ReturnType<typeof flatSignature> {
  const flat = flattenAll(
    type.params.map((param) => param.type),
    address,
  );
  return {
    params: flat !== undefined && flat.length <= flatAsyncParamsMax ? flat : undefined,
    results: type.result === undefined ? [] : undefined,
  };
}

export function checkResourceBuiltin(
  body: Body<"resource.new" | "resource.drop" | "resource.rep">,
  scope: ComponentScope,
  offset: number,
): CoreExtern {
  const type = scope.type(body.type, offset);
  if (type.kind !== "resource") return fail(`type ${body.type} is not a resource type`, offset);
  if (body.kind === "resource.drop") return { kind: "func", signature: "(i32) -> ()" };
  const rep = scope.ownResources.get(type.resource.id);
  if (rep === undefined) return fail(`type ${body.type} is not a resource of this component`, offset);
  return {
    kind: "func",
    signature: body.kind === "resource.new" ? `(${rep}) -> (i32)` : `(i32) -> (${rep})`,
  };
}

/**
 * CanonicalABI.md, "lower_borrow": what implements a resource is lent its representation, in the place of a handle, which
 * is an i32. Of a representation that is an i64 the specification does not say how it is.
 */
function refuseWideLoans({ params }: FuncType, scope: ComponentScope, offset: number): void {
  const isWide = (resource: number) => scope.ownResources.get(resource) === "i64";
  if (params.some(({ type }) => lends(type, isWide)))
    throw componentErrors.unsupported({
      what: "a resource represented by i64 that is lent to the component that implements it",
      offset,
    });
}

/** Core function types of the builtins, with T for an address; those with an entry of their own below are not here. */
const signatures: Readonly<Record<string, string>> = {
  "task.cancel": "() -> ()",
  "subtask.cancel": "(i32) -> (i32)",
  "subtask.drop": "(i32) -> ()",
  "backpressure.inc": "() -> ()",
  "backpressure.dec": "() -> ()",
  "stream.new": "() -> (i64)",
  "stream.read": "(i32 T T) -> (T)",
  "stream.write": "(i32 T T) -> (T)",
  "stream.cancel-read": "(i32) -> (i32)",
  "stream.cancel-write": "(i32) -> (i32)",
  "stream.drop-readable": "(i32) -> ()",
  "stream.drop-writable": "(i32) -> ()",
  "future.new": "() -> (i64)",
  "future.read": "(i32 T) -> (i32)",
  "future.write": "(i32 T) -> (i32)",
  "future.cancel-read": "(i32) -> (i32)",
  "future.cancel-write": "(i32) -> (i32)",
  "future.drop-readable": "(i32) -> ()",
  "future.drop-writable": "(i32) -> ()",
  "error-context.new": "(T T) -> (i32)",
  "error-context.debug-message": "(i32 T) -> ()",
  "error-context.drop": "(i32) -> ()",
  "waitable-set.new": "() -> (i32)",
  "waitable-set.wait": "(i32 T) -> (i32)",
  "waitable-set.poll": "(i32 T) -> (i32)",
  "waitable-set.drop": "(i32) -> ()",
  "waitable.join": "(i32 i32) -> ()",
  "thread.index": "() -> (i32)",
  "thread.resume-later": "(i32) -> ()",
  "thread.suspend": "() -> (i32)",
  "thread.yield": "() -> (i32)",
  "thread.suspend-then-resume": "(i32) -> (i32)",
  "thread.yield-then-resume": "(i32) -> (i32)",
  "thread.suspend-then-promote": "(i32) -> (i32)",
  "thread.yield-then-promote": "(i32) -> (i32)",
  "thread.available-parallelism": "() -> (i32)",
};

/** CanonicalABI.md, "canon context.get": how much a thread may keep. */
const contextSlots = 2;

export function checkBuiltin(body: Body<"builtin">, scope: ComponentScope, offset: number): CoreExtern {
  const { name, options, slot } = body;
  if (options !== undefined) checkOptions(options, scope, offset);
  if (body.memory !== undefined) scope.coreMemory(body.memory, offset);
  if (slot !== undefined) {
    if (slot.type !== "i32" && slot.type !== "i64")
      fail(`${name} of a type that is neither i32 nor i64`, offset);
    if (slot.index >= contextSlots) fail(`${name} of slot ${slot.index}, there are ${contextSlots}`, offset);
    scope.slotType ??= slot.type;
    if (slot.type !== scope.slotType) fail(`${name} of ${slot.type} beside one of ${scope.slotType}`, offset);
    return {
      kind: "func",
      signature: name === "context.get" ? signature("", String(slot.type)) : signature(String(slot.type), ""),
    };
  }
  if (name === "task.return") return checkTaskReturn(body, scope, offset);
  refuseShared(body, offset);
  if (name === "thread.new-indirect" || name === "thread.spawn-indirect")
    return checkNewThread(body, scope, offset);
  const [area] = name.split(".");
  if (body.type !== undefined && (area === "stream" || area === "future")) {
    const type = scope.type(body.type, offset);
    if (type.kind !== "value" || type.type.kind !== area)
      fail(`type ${body.type} is not a ${area} type`, offset);
    else if (options !== undefined) {
      const { element } = type.type as Extract<ValueType, { kind: "stream" | "future" }>; // Its kind is `area`.
      const isWrite = name.endsWith("write");
      requireOptions(options, {
        memory: element !== undefined,
        realloc: !isWrite && hasPointer(element),
        offset,
      });
    }
  }
  if (name === "error-context.new" && options !== undefined) {
    requireOptions(options, { memory: true, realloc: false, offset });
  }
  if (name === "error-context.debug-message" && options !== undefined) {
    requireOptions(options, { memory: true, realloc: true, offset });
  }
  const address = addressTypeOf(body, scope, offset);
  return { kind: "func", signature: (signatures[name] ?? "").replaceAll("T", address) };
}

function checkTaskReturn(body: Body<"builtin">, scope: ComponentScope, offset: number): CoreExtern {
  const { options } = body;
  if (options !== undefined) {
    for (const [option, value] of [
      ["realloc", options.realloc],
      ["post-return", options.postReturn],
      ["callback", options.callback],
    ] as const) {
      if (value !== undefined) fail(`option ${option} for task.return`, offset);
    }
    if (options.isAsync) fail("option async for task.return", offset);
  }
  const result = body.result === undefined ? undefined : resolveRef(body.result, scope, offset);
  const address = addressTypeOf(body, scope, offset);
  const flat = result === undefined ? [] : flattenAll([result], address);
  if (options !== undefined) {
    requireOptions(options, {
      memory: flat === undefined || hasPointer(result),
      realloc: false,
      offset,
    });
  }
  return { kind: "func", signature: signature((flat ?? [address]).join(" "), "") };
}

function checkOptions(options: CanonOptions, scope: ComponentScope, offset: number): void {
  if (options.duplicate !== undefined) fail(`option ${options.duplicate} given twice`, offset);
  const memory = options.memory === undefined ? undefined : scope.coreMemory(options.memory, offset);
  if (options.realloc === undefined) return;
  if (memory === undefined) fail("option realloc requires option memory", offset);
  const address = memory.kind === "memory" && memory.is64 ? "i64" : "i32";
  const wanted = signature(`${address} ${address} ${address} ${address}`, address);
  expectSignature(scope.coreFunc(options.realloc, offset), wanted, "realloc", offset);
}

function requireOptions(
  options: CanonOptions,
  wanted: { readonly memory: boolean; readonly realloc: boolean; readonly offset: number },
): void {
  if (wanted.memory && options.memory === undefined) fail("option memory is required", wanted.offset);
  if (wanted.realloc && options.realloc === undefined) fail("option realloc is required", wanted.offset);
}

function expectSignature(found: CoreExtern, wanted: string, what: string, offset: number): void {
  if (found.kind === "func" && found.signature === wanted) return;
  fail(
    `${what} has type ${found.kind === "func" ? found.signature : found.kind}, expected ${wanted}`,
    offset,
  );
}

function fail(what: string, offset: number): never {
  throw componentErrors.invalid({ what, offset });
}
