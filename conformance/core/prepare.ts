/**
 * A script made ready to run any number of times: modules assembled, and each action on numbers turned into a
 * function of a generated caller module that stores the results in memory. JavaScript would lose the payload of a
 * NaN and cannot pass a v128 at all; bytes in memory compare bit for bit.
 */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import {
  decodeModule,
  type ExternType,
  externTypeOf,
  findSection,
  indexSpaces,
  type RecGroup,
  type SubType,
} from "remora/wasm";
import { stringText } from "./s-expression.ts";
import { type Action, type Command, type ModuleText, readScript } from "./script.ts";

export interface Prepared {
  readonly steps: readonly Step[];
}

export type Step =
  /** Instantiates; its number names the instance. `caller` holds the actions on it. */
  | {
      readonly kind: "instantiate";
      readonly bytes: Uint8Array;
      caller: Uint8Array | undefined;
      readonly line: number;
    }
  | { readonly kind: "register"; readonly as: string; readonly instance: number; readonly line: number }
  | { readonly kind: "action"; readonly instance: number; readonly way: ActionWay; readonly line: number }
  | { readonly kind: "reject"; readonly bytes: Uint8Array; readonly line: number }
  /** Refused by the assembler already, or something that this harness does not run. */
  | { readonly kind: "skip"; readonly why: string; readonly line: number };

export type ActionWay =
  | { readonly by: "caller"; readonly name: string; readonly results: readonly NumberType[] }
  | { readonly by: "javascript"; readonly action: Action; readonly field: string };

export type NumberType = "i32" | "i64" | "f32" | "f64" | "v128";

interface InstanceDraft {
  readonly step: Step & { kind: "instantiate" };
  readonly exports: ReadonlyMap<string, Signature>;
  readonly functions: string[];
  readonly imports: Map<string, string>;
}

interface Signature {
  readonly kind: "func" | "global";
  readonly parameters: readonly NumberType[];
  readonly results: readonly NumberType[];
  readonly isMutable: boolean;
}

export async function prepareScript(source: string): Promise<Prepared> {
  const steps: Step[] = [];
  const drafts = new Map<number, InstanceDraft>();
  const names = new Map<string, number>();
  const definitions = new Map<string, Uint8Array>();
  let definition: Uint8Array | undefined;
  let current = -1;
  const add = (step: Step) => steps.push(step) - 1;
  const instantiate = (bytes: Uint8Array, line: number, name?: string) => {
    const step = { kind: "instantiate" as const, bytes, caller: undefined, line };
    current = add(step);
    drafts.set(current, { step, exports: signaturesOf(bytes), functions: [], imports: new Map() });
    if (name !== undefined) names.set(name, current);
  };
  for (const command of readScript(source)) {
    const { line } = command;
    const bytes = await bytesOf(command);
    if (bytes instanceof Error) {
      add({ kind: "skip", why: `assembler: ${bytes.message.split("\n")[0]}`, line });
      if (command.kind === "module") current = -1;
      continue;
    }
    switch (command.kind) {
      case "module":
        instantiate(bytes, line, command.name);
        break;
      case "fail": {
        const before = current;
        instantiate(bytes, line);
        current = before;
        break;
      }
      case "definition":
        definition = bytes;
        if (command.name !== undefined) definitions.set(command.name, bytes);
        break;
      case "instance": {
        const of = command.of === undefined ? definition : definitions.get(command.of);
        if (of !== undefined) instantiate(of, line, command.name);
        break;
      }
      case "register":
        add({ kind: "register", as: command.as, instance: find(command.name), line });
        break;
      case "action": {
        const instance = find(command.action.instance);
        add({ kind: "action", instance, way: wayOf(command.action, drafts.get(instance)), line });
        break;
      }
      case "reject":
        add({ kind: "reject", bytes, line });
        break;
      case "other":
        add({ kind: "skip", why: command.head, line });
    }
  }
  for (const draft of drafts.values())
    if (draft.functions.length > 0) draft.step.caller = await callerOf(draft);
  return { steps };

  function find(name: string | undefined): number {
    return name === undefined ? current : (names.get(name) ?? -1);
  }
}

const nothing = new Uint8Array(0);

async function bytesOf(command: Command): Promise<Uint8Array | Error> {
  return "module" in command ? assemble(command.module) : nothing;
}

async function assemble(module: ModuleText): Promise<Uint8Array | Error> {
  if ("bytes" in module) return module.bytes;
  try {
    return await parse(spelled(module.text));
  } catch (error) {
    // A refusal is a result here.
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The assembler refuses characters that change the direction of writing unless they are escaped. */
function spelled(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u206f]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}

/** Exports that a generated module can import: functions and globals of numbers. */
function signaturesOf(bytes: Uint8Array): ReadonlyMap<string, Signature> {
  const signatures = new Map<string, Signature>();
  try {
    const module = decodeModule(bytes);
    const spaces = indexSpaces(module);
    // A type in a group, or with relatives, is another one than the caller would name by its shape.
    const groups = findSection(module, "type")?.items ?? [];
    const types = groups.flatMap((group) =>
      group.types.map((type) => (isPlain(type, group) ? type : undefined)),
    );
    for (const { name, kind, index } of findSection(module, "export")?.items ?? []) {
      const signature = numbersOnly(externTypeOf(spaces, kind, index), types);
      if (signature !== undefined) signatures.set(name, signature);
    }
  } catch {
    // Not decoded by us: its actions go through JavaScript, and the comparison shows what the pipeline says.
  }
  return signatures;
}

function isPlain(type: SubType, group: RecGroup): boolean {
  return group.types.length === 1 && type.isFinal && type.supertypes.length === 0;
}

function numbersOnly(
  type: ExternType | undefined,
  types: readonly (SubType | undefined)[],
): Signature | undefined {
  if (type?.kind === "global") {
    const { value, isMutable } = type.type;
    if (typeof value !== "string") return undefined;
    return { kind: "global", parameters: [], results: [value], isMutable };
  }
  const composite = type?.kind === "func" ? types[type.type]?.composite : undefined;
  if (composite?.kind !== "func") return undefined;
  const numbers = (list: readonly unknown[]): list is NumberType[] =>
    list.every((item) => typeof item === "string");
  const { parameters, results } = composite;
  if (!numbers(parameters) || !numbers(results)) return undefined;
  return { kind: "func", parameters, results, isMutable: false };
}

function wayOf(action: Action, draft: InstanceDraft | undefined): ActionWay {
  const field = stringText(action.field);
  const signature = draft?.exports.get(field);
  const fits =
    signature !== undefined &&
    (signature.kind === "func") === (action.kind === "invoke") &&
    signature.parameters.length === action.args.length;
  if (draft === undefined || !fits) return { by: "javascript", action, field };
  const { results } = signature;
  let imported = draft.imports.get(action.field);
  if (imported === undefined) {
    imported = `$i${draft.imports.size}`;
    draft.imports.set(action.field, imported);
  }
  const name = `a${draft.functions.length}`;
  const call =
    signature.kind === "func" ? `${action.args.join(" ")} (call ${imported})` : `(global.get ${imported})`;
  draft.functions.push(`(func (export "${name}") ${locals(results)} ${call} ${stores(results)})`);
  return { by: "caller", name, results };
}

function locals(results: readonly NumberType[]): string {
  return results.map((type, index) => `(local $r${index} ${type})`).join(" ");
}

/** The last result is on top of the stack. Sixteen bytes each. */
function stores(results: readonly NumberType[]): string {
  const takes = results.map((_, index) => `(local.set $r${index})`).reverse();
  const puts = results.map(
    (type, index) => `(${type}.store (i32.const ${16 * index}) (local.get $r${index}))`,
  );
  return [...takes, ...puts].join(" ");
}

function callerOf(draft: InstanceDraft): Promise<Uint8Array> {
  const imports = [...draft.imports].map(([field, imported]) => {
    const signature = draft.exports.get(stringText(field));
    return `(import "m" ${field} ${importType(imported, signature)})`;
  });
  return parse(
    spelled(`(module ${imports.join("\n")} (memory (export "out") 1) ${draft.functions.join("\n")})`),
  );
}

function importType(imported: string, signature: Signature | undefined): string {
  const { kind, parameters = [], results = [], isMutable } = signature ?? {};
  if (kind === "global") return `(global ${imported} ${isMutable ? `(mut ${results[0]})` : results[0]})`;
  return `(func ${imported} (param ${parameters.join(" ")}) (result ${results.join(" ")}))`;
}
