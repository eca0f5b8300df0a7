/** What the operator of signalk-server says of where plugins run, in the form of its administration. */

import { type IsolationLevel, isolationLevels } from "remora/engine";
import { isRecord } from "../delta/delta.ts";

const level = (title: string) => ({ type: "string", title, enum: isolationLevels, default: "inline" });

/** JSON Schema of it. */
export const isolationSchema = {
  type: "object",
  properties: {
    isolation: level("Where plugins run: on the server's own thread, on others, or each in a process"),
    exceptions: {
      type: "array",
      title: "Plugins that run elsewhere",
      items: {
        type: "object",
        properties: { plugin: { type: "string", title: "Plugin id" }, isolation: level("Where it runs") },
      },
    },
  },
};

export interface Isolation {
  readonly common: IsolationLevel;
  /** By the plugin's id. */
  readonly exceptions: ReadonlyMap<string, IsolationLevel>;
  /** Of a package. A bundle may ask for more by itself, and no exception lets one have less than all. */
  of(plugin: string): IsolationLevel;
}

/** What is not written, or is none of the levels, is the server's own thread. */
export function readIsolation(settings: unknown): Isolation {
  const { isolation, exceptions } = isRecord(settings) ? settings : {};
  const own = new Map<string, IsolationLevel>();
  for (const each of Array.isArray(exceptions) ? exceptions : []) {
    if (isRecord(each) && typeof each.plugin === "string") own.set(each.plugin, levelOf(each.isolation));
  }
  const common = levelOf(isolation);
  return { common, exceptions: own, of: (plugin) => own.get(plugin) ?? common };
}

function levelOf(written: unknown): IsolationLevel {
  return isolationLevels.find((known) => known === written) ?? "inline";
}
