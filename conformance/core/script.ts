/**
 * A test script (`.wast`) as a list of commands. What a command expects is not kept beyond its kind: here each
 * command is run twice, and one run is the other's expectation.
 */

import { type Node, readExpressions, stringBytes, stringText } from "./s-expression.ts";

export type Command =
  | { readonly kind: "module"; readonly module: ModuleText; readonly name?: string; readonly line: number }
  | {
      readonly kind: "definition";
      readonly module: ModuleText;
      readonly name?: string;
      readonly line: number;
    }
  | { readonly kind: "instance"; readonly name?: string; readonly of?: string; readonly line: number }
  | { readonly kind: "register"; readonly as: string; readonly name?: string; readonly line: number }
  | { readonly kind: "action"; readonly action: Action; readonly line: number }
  /** The pipeline must refuse it before any of its code runs. */
  | { readonly kind: "reject"; readonly module: ModuleText; readonly line: number }
  /** Valid, but its instantiation fails: unlinkable, or its start function traps. */
  | { readonly kind: "fail"; readonly module: ModuleText; readonly line: number }
  | { readonly kind: "other"; readonly head: string; readonly line: number };

/** A module's text for the assembler, or its bytes. */
export type ModuleText = { readonly text: string } | { readonly bytes: Uint8Array };

export interface Action {
  readonly kind: "invoke" | "get";
  /** The instance that the action names; the current one when absent. */
  readonly instance?: string;
  /** The export's name as a string literal. */
  readonly field: string;
  /** Constants, as they stand in the script. */
  readonly args: readonly string[];
}

const asserted: Record<string, "reject" | "fail"> = {
  assert_invalid: "reject",
  assert_malformed: "reject",
  assert_unlinkable: "fail",
};

export function readScript(source: string): Command[] {
  const nodes = readExpressions(source);
  const lines = lineStarts(source);
  const [first] = nodes;
  // `inline-module.wast`: the fields of one module without the word.
  if (first?.kind === "list" && headOf(first) === "func") {
    return [{ kind: "module", module: { text: `(module ${source})` }, line: 1 }];
  }
  return nodes.map((node) => readCommand(node, source, lineAt(lines, node.start)));
}

function readCommand(node: Node, source: string, line: number): Command {
  const head = headOf(node);
  if (node.kind !== "list") return { kind: "other", head, line };
  const [, second] = node.items;
  switch (head) {
    case "module":
      return readModule(node.items, source, node, line);
    case "register": {
      const [, as, name] = node.items;
      return {
        kind: "register",
        as: as?.kind === "string" ? stringText(as.text) : "",
        ...nameOf(name),
        line,
      };
    }
    case "invoke":
    case "get":
      return { kind: "action", action: readAction(node, source), line };
    case "assert_return":
    case "assert_exhaustion":
    case "assert_exception":
    case "assert_trap":
      if (second !== undefined && headOf(second) === "module" && second.kind === "list") {
        return { kind: "fail", module: moduleText(second.items, source, second), line };
      }
      if (second?.kind === "list") return { kind: "action", action: readAction(second, source), line };
      break;
    case "assert_invalid":
    case "assert_malformed":
    case "assert_unlinkable":
      if (second?.kind === "list") {
        return { kind: asserted[head] ?? "reject", module: moduleText(second.items, source, second), line };
      }
  }
  return { kind: "other", head, line };
}

function readModule(items: readonly Node[], source: string, node: Node, line: number): Command {
  const [, second, third, fourth] = items;
  if (isAtom(second, "instance")) {
    const of = nameOf(fourth).name;
    return { kind: "instance", ...nameOf(third), ...(of !== undefined && { of }), line };
  }
  const module = moduleText(items, source, node);
  if (isAtom(second, "definition")) return { kind: "definition", module, ...nameOf(third), line };
  return { kind: "module", module, ...nameOf(second), line };
}

/** `(module definition? $name? binary? quote? …)`. */
function moduleText(items: readonly Node[], source: string, node: Node): ModuleText {
  let at = 1;
  if (isAtom(items[at], "definition")) at++;
  if (nameOf(items[at]).name !== undefined) at++;
  const strings = () =>
    items.slice(at + 1).map((item) => stringBytes(item.kind === "string" ? item.text : '""'));
  if (isAtom(items[at], "binary")) return { bytes: Buffer.concat(strings()) };
  if (isAtom(items[at], "quote")) return { text: Buffer.concat(strings()).toString("utf8") };
  if (isAtom(items[1], "definition")) {
    return { text: `(module ${source.slice(items[2]?.start ?? node.end - 1, node.end)}` };
  }
  return { text: source.slice(node.start, node.end) };
}

function readAction(node: Node & { kind: "list" }, source: string): Action {
  const rest = node.items.slice(1);
  const { name } = nameOf(rest[0]);
  if (name !== undefined) rest.shift();
  const [field, ...args] = rest;
  return {
    kind: headOf(node) === "get" ? "get" : "invoke",
    ...(name !== undefined && { instance: name }),
    field: field?.kind === "string" ? field.text : '""',
    args: args.map((arg) => source.slice(arg.start, arg.end)),
  };
}

function headOf(node: Node): string {
  const head = node.kind === "list" ? node.items[0] : node;
  return head?.kind === "atom" ? head.text : "";
}

function isAtom(node: Node | undefined, text: string): boolean {
  return node?.kind === "atom" && node.text === text;
}

function nameOf(node: Node | undefined): { readonly name?: string } {
  return node?.kind === "atom" && node.text.startsWith("$") ? { name: node.text } : {};
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
