/**
 * The rows for guests in JavaScript: one script as a component with QuickJS inside, which ours and both jcos run, in
 * quickjs-emscripten, and in an isolate of V8's own. Each is handed its arguments in its fastest way.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { importMain, reasonOf, type Skipped } from "./peers.ts";
import { scriptWit } from "./worlds.ts";

export const position = { uid: "ANDROID-35997509", callsign: "FALCON-12", lat: 52.08, lon: 4.31 };

const body = `{
  evaluate({ uid, lat, lon }) { return uid.length > 3 && lat > 50 && lon < 10; },
  add(a, b) { return a + b; },
}`;

/** The script as a component, or why there is none. */
export async function scriptComponent(): Promise<Uint8Array | Skipped> {
  const kept = join(cacheFolder, "script.wasm");
  if (existsSync(kept)) return new Uint8Array(readFileSync(kept));
  try {
    const { componentize } = await importMain<Componentizer>("componentize-qjs");
    mkdirSync(cacheFolder, { recursive: true });
    const witPath = join(cacheFolder, "script.wit");
    writeFileSync(witPath, scriptWit);
    const jsSource = `export const script = ${body};`;
    const built = await componentize({ witPath, jsSource, world: "plugin", stubWasi: true, sync: true });
    writeFileSync(kept, built.component);
    return new Uint8Array(built.component);
  } catch (error) {
    // Without its binding for this platform there is no component, and the other rows do not need it.
    return { peer: "componentize-qjs", reason: reasonOf(error) };
  }
}

interface Componentizer {
  componentize(options: Record<string, unknown>): Promise<{ component: Uint8Array }>;
}

/** The script outside of components. */
export interface ScriptEngine {
  readonly name: string;
  readonly evaluate: () => unknown;
  readonly add: () => unknown;
}

export async function scriptEngines(skipped: Skipped[]): Promise<ScriptEngine[]> {
  const engines: ScriptEngine[] = [];
  for (const [peer, open] of [["quickjs-emscripten", quickjs] as const, ["isolated-vm", isolate] as const]) {
    try {
      engines.push(await open());
    } catch (error) {
      // Native code that is not built for this platform, most likely: the report says so.
      skipped.push({ peer, reason: reasonOf(error) });
    }
  }
  return engines;
}

interface Handle {
  dispose(): void;
}

/** As much of its interface as is used here. */
interface QuickJs {
  getQuickJS(): Promise<{
    newContext(): {
      readonly undefined: Handle;
      evalCode(code: string): { unwrap(): Handle };
      newString(text: string): Handle;
      newNumber(value: number): Handle;
      callFunction(target: Handle, self: Handle, ...args: Handle[]): { unwrap(): Handle };
      dump(value: Handle): unknown;
      getNumber(value: Handle): number;
    };
  }>;
}

/** Records cross as JSON: a property at a time takes twice as long. */
async function quickjs(): Promise<ScriptEngine> {
  const context = (await (await importMain<QuickJs>("quickjs-emscripten")).getQuickJS()).newContext();
  const evaluate = context
    .evalCode(`((script) => (json) => script.evaluate(JSON.parse(json)))(${body})`)
    .unwrap();
  const add = context.evalCode(`(${body}).add`).unwrap();
  const self = context.undefined;
  return {
    name: "quickjs-emscripten",
    evaluate() {
      const json = context.newString(JSON.stringify(position));
      const result = context.callFunction(evaluate, self, json).unwrap();
      const value = context.dump(result);
      result.dispose();
      json.dispose();
      return value;
    },
    add() {
      const a = context.newNumber(19);
      const b = context.newNumber(23);
      const result = context.callFunction(add, self, a, b).unwrap();
      const value = context.getNumber(result);
      result.dispose();
      a.dispose();
      b.dispose();
      return value;
    },
  };
}

interface IsolatedFunction {
  applySync(self: undefined, args: readonly unknown[], options?: object): unknown;
}

interface IsolatedVm {
  readonly default: {
    readonly Isolate: new (
      options: object,
    ) => {
      createContextSync(): { evalSync(code: string, options: object): IsolatedFunction };
    };
  };
}

/** Records are copied as structured clones are. */
async function isolate(): Promise<ScriptEngine> {
  const { default: ivm } = await importMain<IsolatedVm>("isolated-vm");
  const context = new ivm.Isolate({ memoryLimit: 64 }).createContextSync();
  const evaluate = context.evalSync(`(${body}).evaluate`, { reference: true });
  const add = context.evalSync(`(${body}).add`, { reference: true });
  const copied = { arguments: { copy: true } };
  return {
    name: "isolated-vm",
    evaluate: () => evaluate.applySync(undefined, [position], copied),
    add: () => add.applySync(undefined, [19, 23]),
  };
}
