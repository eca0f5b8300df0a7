/**
 * The vocabulary of power. A capability is a kind of effect, named `area.thing` or `area.thing.verb`; its targets
 * are data beside it: `{ capability: "net.http", origins: ["https://api.example.org"] }`. Hosts extend the
 * vocabulary with names of their own, which carry the host's name first: `signalk.delta.write`.
 */

import { nearNames } from "../base/index.ts";
import { policyErrors } from "./errors.ts";
import { type TargetKind, targetKinds } from "./target.ts";

/** `area.thing` or `area.thing.verb`, in lower case. */
export type CapabilityName = `${string}.${string}`;

/** How much harm a grant can do, for whoever is asked to consent: none to the host, some, or all that the host's user may do. */
export type Risk = "low" | "medium" | "high";

export interface CapabilityDefinition {
  readonly name: CapabilityName;
  /** What a plugin that has it can do, as shown to an operator. */
  readonly meaning: string;
  readonly risk: Risk;
  /** Which field of a grant lists its targets and how they are written; none when there is nothing to choose. */
  readonly target?: { readonly field: string; readonly kind: TargetKind };
}

/**
 * The targets of each capability of the core, by name. A host adds its own by declaration merging and hands their
 * definitions to `vocabularyWith`.
 */
export interface CapabilityTargets {
  "wasi.base": Record<never, never>;
  "clock.read": Record<never, never>;
  "random.read": Record<never, never>;
  "log.write": Record<never, never>;
  "kv.store": Record<never, never>;
  "env.read": { readonly names: readonly string[] };
  "fs.private": Record<never, never>;
  "fs.read": { readonly paths: readonly string[] };
  "fs.write": { readonly paths: readonly string[] };
  "net.http": { readonly origins: readonly string[] };
  "net.socket": { readonly sockets: readonly string[] };
  "http.serve": { readonly paths: readonly string[] };
  "proc.exec": { readonly commands: readonly string[] };
  "data.read": { readonly paths: readonly string[] };
  "data.write": { readonly paths: readonly string[] };
  "control.put": { readonly paths: readonly string[] };
  "provider.register": { readonly kinds: readonly string[] };
  "bus.publish": { readonly topics: readonly string[] };
  "bus.subscribe": { readonly topics: readonly string[] };
  "state.read": { readonly keys: readonly string[] };
  "state.write": { readonly keys: readonly string[] };
  "device.open": { readonly devices: readonly string[] };
}

/** The capabilities that exist in one host, by name. */
export type Vocabulary = ReadonlyMap<string, CapabilityDefinition>;

const definitions: readonly CapabilityDefinition[] = [
  {
    name: "wasi.base",
    risk: "low",
    meaning: "Run as a WASI program with no arguments, no variables, no files and bounded output to the log",
  },
  { name: "clock.read", risk: "low", meaning: "Read the time, as precisely as the operator chose" },
  { name: "random.read", risk: "low", meaning: "Read random bytes" },
  { name: "log.write", risk: "low", meaning: "Write lines to the log" },
  { name: "kv.store", risk: "low", meaning: "Keep values by key in a store of its own" },
  {
    name: "env.read",
    risk: "medium",
    meaning: "Read the named environment variables",
    target: { field: "names", kind: "name" },
  },
  { name: "fs.private", risk: "low", meaning: "Read and write files in folders of its own" },
  {
    name: "fs.read",
    risk: "medium",
    meaning: "Read files below the named folders",
    target: { field: "paths", kind: "folder" },
  },
  {
    name: "fs.write",
    risk: "high",
    meaning: "Write files below the named folders",
    target: { field: "paths", kind: "folder" },
  },
  {
    name: "net.http",
    risk: "medium",
    meaning: "Send HTTP requests and open WebSockets to the named origins",
    target: { field: "origins", kind: "origin" },
  },
  {
    name: "net.socket",
    risk: "high",
    meaning: "Open TCP and UDP sockets to the named addresses and ports",
    target: { field: "sockets", kind: "socket" },
  },
  {
    name: "http.serve",
    risk: "medium",
    meaning: "Answer HTTP requests at the named paths of the host",
    target: { field: "paths", kind: "pattern" },
  },
  {
    name: "proc.exec",
    risk: "high",
    meaning: "Run the named programs with the named arguments",
    target: { field: "commands", kind: "command" },
  },
  {
    name: "data.read",
    risk: "low",
    meaning: "Read the host's data at the named paths",
    target: { field: "paths", kind: "pattern" },
  },
  {
    name: "data.write",
    risk: "medium",
    meaning: "Write the host's data at the named paths",
    target: { field: "paths", kind: "pattern" },
  },
  {
    name: "control.put",
    risk: "high",
    meaning: "Answer or send commands at the named paths",
    target: { field: "paths", kind: "pattern" },
  },
  {
    name: "provider.register",
    risk: "medium",
    meaning: "Provide the named kinds of service to the host",
    target: { field: "kinds", kind: "pattern" },
  },
  {
    name: "bus.publish",
    risk: "low",
    meaning: "Publish events with the named topics to other plugins",
    target: { field: "topics", kind: "pattern" },
  },
  {
    name: "bus.subscribe",
    risk: "medium",
    meaning: "Hear the events of other plugins with the named topics",
    target: { field: "topics", kind: "pattern" },
  },
  {
    name: "state.read",
    risk: "low",
    meaning: "Read the named values that plugins share",
    target: { field: "keys", kind: "pattern" },
  },
  {
    name: "state.write",
    risk: "medium",
    meaning: "Change and delete the named values that plugins share",
    target: { field: "keys", kind: "pattern" },
  },
  {
    name: "device.open",
    risk: "high",
    meaning: "Use the named devices",
    target: { field: "devices", kind: "pattern" },
  },
];

/** The capabilities that Remora itself knows. */
export const coreVocabulary: Vocabulary = new Map(definitions.map((entry) => [entry.name, entry]));

const namePattern = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*){1,3}$/;

/**
 * The core's capabilities and a host's own.
 *
 * @throws TypeError when a name is malformed or already taken, or its target kind does not exist.
 */
export function vocabularyWith(hostCapabilities: readonly CapabilityDefinition[]): Vocabulary {
  const vocabulary = new Map(coreVocabulary);
  for (const definition of hostCapabilities) {
    if (!namePattern.test(definition.name)) {
      throw new TypeError(
        `Cannot name a capability "${definition.name}": expected area.thing or area.thing.verb`,
      );
    }
    if (vocabulary.has(definition.name)) {
      throw new TypeError(`Cannot define the capability "${definition.name}" twice`);
    }
    if (definition.target !== undefined && !Object.hasOwn(targetKinds, definition.target.kind)) {
      throw new TypeError(`Cannot define "${definition.name}": no target kind "${definition.target.kind}"`);
    }
    vocabulary.set(definition.name, definition);
  }
  return vocabulary;
}

/**
 * What a capability means.
 *
 * @throws policy/unknown-capability with near names.
 */
export function definitionOf(
  name: string,
  vocabulary: Vocabulary,
  where = "the grant",
): CapabilityDefinition {
  const definition = vocabulary.get(name);
  if (definition === undefined) {
    throw policyErrors["unknown-capability"]({ name, where, near: nearCapabilities(name, vocabulary) });
  }
  return definition;
}

/** By spelling; else those of the same area (`provider.weather`) or with that part (`env`, `exec`). */
function nearCapabilities(name: string, vocabulary: Vocabulary): readonly string[] {
  const near = nearNames(name, vocabulary.keys());
  if (near.length > 0) return near;
  const [area = ""] = name.split(".");
  return [...vocabulary.keys()].filter((known) => known.split(".").includes(area)).slice(0, 3);
}
