/** `wasi:keyvalue/store` over the plugin's own store. https://github.com/WebAssembly/wasi-keyvalue, draft 2. */

import { ComponentError } from "../../component/index.ts";
import type { KeyValueStore } from "../keyvalue/store.ts";
import type { Machine } from "../machine/machine.ts";

type KeyValueError =
  | { readonly tag: "no-such-store" | "access-denied" }
  | { readonly tag: "other"; readonly val: string };

/** The resource `bucket`. There is one, and the plugin may open it as often as it likes. */
export class Bucket {
  readonly #machine: Machine;
  readonly #store: KeyValueStore;

  constructor(machine: Machine, store: KeyValueStore) {
    this.#machine = machine;
    this.#store = store;
    machine.mustHold(this);
  }

  get(key: string): Uint8Array | undefined {
    this.#check();
    return this.#store.get(key);
  }

  set(key: string, value: Uint8Array): void {
    this.#check();
    const refusal = this.#store.set(key, value);
    if (refusal !== undefined) throw failure({ tag: "other", val: refusal });
  }

  delete(key: string): void {
    this.#check();
    this.#store.delete(key);
  }

  exists(key: string): boolean {
    this.#check();
    return this.#store.has(key);
  }

  listKeys(cursor: string | undefined): { keys: string[]; cursor: string | undefined } {
    this.#check();
    return this.#store.list(cursor);
  }

  /** It passed the gate when it was opened; what was taken since then is gone. */
  #check(): void {
    if (!this.#machine.shared.gate.mayGoOn("kv.store")) throw failure({ tag: "access-denied" });
  }

  close(): void {
    this.#machine.release(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The names by which a guest may ask for its store. */
const identifiers: ReadonlySet<string> = new Set(["", "default"]);

export function keyvalueStore(machine: Machine) {
  const { gate, keyValues } = machine.shared;
  return {
    Bucket,
    open(identifier: string): Bucket {
      if (!identifiers.has(identifier)) throw failure({ tag: "no-such-store" });
      return gate.act(
        "kv.store",
        undefined,
        () => new Bucket(machine, keyValues()),
        (): never => {
          throw failure({ tag: "access-denied" });
        },
      );
    },
  };
}

function failure(error: KeyValueError): ComponentError<KeyValueError> {
  return new ComponentError(error);
}
