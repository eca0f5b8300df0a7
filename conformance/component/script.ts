/** Runs one script of the suite, command by command, and says of each assertion whether it held. */

import { isDeepStrictEqual } from "node:util";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { isRemoraError } from "remora/base";
import {
  ComponentError,
  camelCase,
  decodeComponent,
  type FuncType,
  prepareComponent,
} from "remora/component";
import { type ComponentArtifact, defaultLimits, type Instance, openArtifact } from "remora/engine";
import { type Node, readExpressions, stringBytes, stringText } from "../core/s-expression.ts";
import { parseCancellable } from "./cancellable.ts";
import { readValue } from "./values.ts";

export interface Outcome {
  readonly line: number;
  /** Undefined when the command did what it should. */
  readonly failure: string | undefined;
}

/** Not a failure of ours: the tool that turns text into binary does not know what is written. */
class NoBinary extends Error {}

interface Live {
  readonly artifact: ComponentArtifact;
  readonly instance: Instance;
}

export async function runScript(source: string): Promise<Outcome[]> {
  const run = new ScriptRun(source);
  const outcomes: Outcome[] = [];
  for (const node of readExpressions(source)) {
    if (node.kind !== "list") continue;
    const line = source.slice(0, node.start).split("\n").length;
    outcomes.push({ line, failure: await run.command(node.items, node).catch(describe) });
  }
  return outcomes;
}

class ScriptRun {
  readonly #source: string;
  readonly #definitions = new Map<string, ComponentArtifact>();
  readonly #instances = new Map<string, Live>();
  #current: Live | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  async command(items: readonly Node[], whole: Node): Promise<string | undefined> {
    const [head, second] = items;
    switch (word(head)) {
      case "component":
        return this.#component(items, whole);
      case "invoke":
        await this.#invoke(items);
        return undefined;
      case "assert_return":
        return this.#assertReturn(items);
      case "assert_trap":
        return this.#assertTrap(items);
      case "assert_invalid":
        return this.#assertRefused(second, "assert_invalid", "component/invalid");
      case "assert_malformed":
        return this.#assertRefused(second, "assert_malformed", "component/malformed");
      default:
        return `unknown command ${word(head)}`;
    }
  }

  async #component(items: readonly Node[], whole: Node): Promise<string | undefined> {
    const kind = word(items[1]);
    if (kind === "instance") {
      const [, , name, definition] = items.map(word);
      const artifact = this.#definitions.get(definition ?? "");
      if (artifact === undefined) return `unknown definition ${definition}`;
      this.#instantiate(artifact, name);
      return undefined;
    }
    const isDefinition = kind === "definition";
    const name = [items[1], items[isDefinition ? 2 : 1]].map(word).find((one) => one?.startsWith("$"));
    const artifact = openArtifact(await this.#binary(whole));
    if (artifact.kind !== "component") return "a module in the place of a component";
    if (isDefinition) {
      if (name !== undefined) this.#definitions.set(name, artifact);
      // A definition stands under its name; it is made when an instance of it is asked for.
      return undefined;
    }
    this.#instantiate(artifact, name);
    return undefined;
  }

  #instantiate(artifact: ComponentArtifact, name: string | undefined): void {
    const instance = artifact.instantiate({ imports: {}, limits: defaultLimits, isPromised: true });
    const live = { artifact, instance };
    this.#current = live;
    if (name !== undefined) this.#instances.set(name, live);
  }

  async #binary(node: Node): Promise<Uint8Array> {
    if (node.kind !== "list") throw new Error("a component is a list");
    const rest = node.items.slice(1).filter((item) => !word(item)?.startsWith("$"));
    const kind = word(rest[0]);
    const literals = rest.flatMap((item) => (item.kind === "string" ? [item.text] : []));
    if (kind === "binary") return Buffer.concat(literals.map(stringBytes));
    let text = this.#source.slice(node.start, node.end);
    if (kind === "quote") text = `(component ${literals.map(stringText).join(" ")})`;
    if (kind === "definition") text = text.replace(/^\(\s*component\s+definition/, "(component");
    try {
      return await parseCancellable(text, parse);
    } catch (error) {
      throw new NoBinary(error instanceof Error ? error.message : String(error));
    }
  }

  #find(items: readonly Node[]): {
    call: (...args: unknown[]) => unknown;
    type: FuncType;
    rest: readonly Node[];
  } {
    const named = word(items[1])?.startsWith("$") === true;
    const live = named ? this.#instances.get(word(items[1]) ?? "") : this.#current;
    const literal = items[named ? 2 : 1];
    const name = literal?.kind === "string" ? stringText(literal.text) : "";
    const exported = live?.artifact.component.exports.get(name);
    if (live === undefined || exported?.kind !== "func") throw new Error(`no function "${name}"`);
    return {
      // An exported function, as its description says.
      call: live.instance.exports[camelCase(name)] as (...args: unknown[]) => unknown,
      type: exported.type,
      rest: items.slice(named ? 3 : 2),
    };
  }

  async #invoke(items: readonly Node[]): Promise<{ result: unknown; type: FuncType }> {
    const { call, type, rest } = this.#find(items);
    const args = type.params.map((param, index) => {
      const node = rest[index];
      return readValue(node?.kind === "list" ? node.items : [], param.type);
    });
    if (type.result?.kind !== "result") return { result: await call(...args), type };
    try {
      const val = await call(...args);
      return { result: { tag: "ok", val }, type };
    } catch (error) {
      if (!(error instanceof ComponentError)) throw error;
      const { payload } = error;
      return { result: { tag: "err", val: payload }, type };
    }
  }

  async #assertReturn(items: readonly Node[]): Promise<string | undefined> {
    const { result, type } = await this.#invoke(children(items[1]));
    const expected = type.result === undefined ? undefined : readValue(children(items[2]), type.result);
    const found = ArrayBuffer.isView(result) ? Array.from(result as Uint8Array) : result;
    return isDeepStrictEqual(found, expected) ? undefined : `got ${show(found)}, expected ${show(expected)}`;
  }

  async #assertTrap(items: readonly Node[]): Promise<string | undefined> {
    const node = items[1];
    const expected = items[2]?.kind === "string" ? stringText(items[2].text) : "";
    try {
      if (word(children(node)[0]) === "invoke") await this.#invoke(children(node));
      else if (node !== undefined) await this.#component(children(node), node);
    } catch (error) {
      if (error instanceof NoBinary) throw error;
      return isTrap(error) ? undefined : `expected a trap (${expected}), got ${describe(error)}`;
    }
    return `expected a trap: ${expected}`;
  }

  async #assertRefused(node: Node | undefined, command: string, code: string): Promise<string | undefined> {
    if (node === undefined) return "no component";
    let bytes: Uint8Array;
    try {
      bytes = await this.#binary(node);
    } catch (error) {
      // Text that the tool refuses never becomes a component: that is where it is refused.
      if (error instanceof NoBinary && word(children(node)[1]) === "quote") return undefined;
      throw error;
    }
    try {
      const prepared = prepareComponent(decodeComponent(bytes));
      // Code is judged by the engine, before it runs any of it.
      if (!prepared.coreModules.every((module) => WebAssembly.validate(module as Uint8Array<ArrayBuffer>)))
        return undefined;
    } catch (error) {
      if (isRemoraError(error, code)) return undefined;
      // The suite puts some of what we call malformed under invalid and the other way round.
      if (isRemoraError(error) && /^component\/(malformed|invalid|limit)$/.test(error.code)) return undefined;
      return `${command}: ${describe(error)}`;
    }
    return `${command}: it was accepted`;
  }
}

/** A trap of the canonical ABI, or one that the platform raised. */
function isTrap(error: unknown): boolean {
  if (!isRemoraError(error)) return false;
  // What was poisoned by a trap takes no further call: the suite takes that for a trap as well.
  return error.fault === "guest" || error.code === "engine/poisoned";
}

function word(node: Node | undefined): string | undefined {
  return node?.kind === "atom" ? node.text : undefined;
}

function children(node: Node | undefined): readonly Node[] {
  return node?.kind === "list" ? node.items : [];
}

function describe(error: unknown): string {
  if (error instanceof NoBinary) return `no binary: ${error.message.split("\n")[0]}`;
  return isRemoraError(error) ? `${error.code}: ${error.message}` : String(error);
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ??
    "nothing"
  );
}
