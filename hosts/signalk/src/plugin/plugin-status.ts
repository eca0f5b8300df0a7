/** What a plugin said last, or why it does not run: for whoever looks, for the server, and in the log when it is an error. */

import { harmless } from "remora/policy";
import type { PluginDeps } from "./plugin-deps.ts";

/** In characters; a guest chooses what its errors say. */
const lengthMax = 1_000;

export class PluginStatus {
  readonly #plugin: string;
  readonly #deps: Pick<PluginDeps, "server" | "log">;
  #text = "";

  constructor(plugin: string, deps: Pick<PluginDeps, "server" | "log">) {
    this.#plugin = plugin;
    this.#deps = deps;
  }

  get text(): string {
    return this.#text;
  }

  /** Of which the server was told, or is not to be. */
  said(text: string): void {
    this.#text = text;
  }

  tell(text: string): void {
    this.#text = text;
    this.#deps.server.setStatus(this.#plugin, { kind: "status", message: text });
  }

  /** Why it does not run. */
  complain(text: string): void {
    this.#text = harmless(text, lengthMax);
    this.#deps.log(this.#plugin, "error", this.#text);
    this.#deps.server.setStatus(this.#plugin, { kind: "error", message: this.#text });
  }
}

/** An error's sentence, as it may be shown. */
export function reasonOf(error: unknown): string {
  return harmless(error instanceof Error ? error.message : String(error), lengthMax);
}
