/** Plans the canonical functions of a component, and the contexts that they share. */

import { componentErrors } from "../errors.ts";
import type { CanonBody, CanonDefinition, CanonOptions } from "../model.ts";
import type { ValueType } from "../types.ts";
import type { Validated } from "../validate/validate.ts";
import type { Frame } from "./frame.ts";
import type { BuiltinPlan, ContextPlan, CoreRef, LiftPlan, LowerPlan } from "./plan.ts";
import { at, resolveRef } from "./type-scope.ts";

export class CanonPlanner {
  readonly contexts: ContextPlan[] = [];
  readonly lifts: LiftPlan[] = [];
  readonly lowers: LowerPlan[] = [];
  readonly builtins: BuiltinPlan[] = [];
  usesSlots = false;
  readonly #validated: Validated;
  readonly #contextIndices = new Map<string, number>();

  constructor(validated: Validated) {
    this.#validated = validated;
  }

  /** Puts what a canonical function defines into the spaces of its frame. */
  define(frame: Frame, { body, offset }: CanonDefinition): void {
    switch (body.kind) {
      case "lift": {
        const type = at(frame.types, body.type, "type", offset);
        if (type.kind !== "func")
          throw componentErrors.invalid({ what: "lift to what is no function type", offset });
        const index = this.lifts.length;
        const { postReturn } = body.options;
        this.lifts.push({
          type: type.type,
          core: at(frame.core.func, body.func, "core function", offset),
          context: this.#context(frame, body, body.options, offset),
          postReturn:
            postReturn === undefined ? undefined : at(frame.core.func, postReturn, "core function", offset),
          isAsync: body.options.isAsync,
          callback:
            body.options.callback === undefined
              ? undefined
              : at(frame.core.func, body.options.callback, "core function", offset),
        });
        frame.funcs.push({ kind: "lifted", index, type: type.type });
        return;
      }
      case "lower": {
        const callee = at(frame.funcs, body.func, "function", offset);
        frame.core.func.push({ kind: "lower", index: this.lowers.length });
        this.lowers.push({
          callee,
          context: this.#context(frame, body, body.options, offset),
          isAsync: body.options.isAsync,
        });
        return;
      }
      case "builtin":
        frame.core.func.push(this.#builtin(body, frame, offset));
        return;
      default: {
        const type = at(frame.types, body.type, "type", offset);
        if (type.kind !== "resource")
          throw componentErrors.invalid({ what: `${body.kind} of no resource type`, offset });
        frame.core.func.push({ kind: body.kind, resource: type.resource.id, state: frame.state });
      }
    }
  }

  #builtin(body: Extract<CanonBody, { kind: "builtin" }>, frame: Frame, offset: number): CoreRef {
    const { name, slot, options, table } = body;
    const { state } = frame;
    if (name === "backpressure.inc" || name === "backpressure.dec") return { kind: name, state };
    if ((name === "context.get" || name === "context.set") && slot !== undefined) {
      this.usesSlots = true;
      return { kind: name, state, slot: slot.index, isBigInt: slot.type === "i64" };
    }
    this.builtins.push({
      name,
      state,
      context: this.#context(frame, body, options ?? { ...noOptions, memory: body.memory }, offset),
      isFlagged: options?.isAsync ?? body.isFlagged,
      type: builtinType(body, frame, offset),
      table: table === undefined ? undefined : at(frame.core.table, table, "core table", offset),
    });
    return { kind: "builtin", index: this.builtins.length - 1 };
  }

  #context(frame: Frame, body: CanonBody, options: CanonOptions, offset: number): number {
    const memory =
      options.memory === undefined ? undefined : at(frame.core.memory, options.memory, "core memory", offset);
    const realloc =
      options.realloc === undefined
        ? undefined
        : at(frame.core.func, options.realloc, "core function", offset);
    const encoding = options.encoding ?? "utf8";
    const key = JSON.stringify([frame.state, memory, realloc, encoding]);
    let index = this.#contextIndices.get(key);
    if (index === undefined) {
      index = this.contexts.length;
      const address = this.#validated.wide.has(body) ? "i64" : "i32";
      this.contexts.push({ state: frame.state, memory, address, realloc, encoding });
      this.#contextIndices.set(key, index);
    }
    return index;
  }
}

const noOptions: CanonOptions = {
  encoding: undefined,
  memory: undefined,
  realloc: undefined,
  postReturn: undefined,
  isAsync: false,
  callback: undefined,
  duplicate: undefined,
};

/** What a builtin is about: the element of its stream or future, or the result of its task. */
function builtinType(
  { type, name, result }: Extract<CanonBody, { kind: "builtin" }>,
  frame: Frame,
  offset: number,
): ValueType | undefined {
  if (result !== undefined) return resolveRef(result, frame, offset);
  if (type === undefined || name.startsWith("thread.")) return undefined;
  const found = at(frame.types, type, "type", offset);
  // The validator checked that it is a stream or a future.
  return found.kind === "value" && (found.type.kind === "stream" || found.type.kind === "future")
    ? found.type.element
    : undefined;
}
