/** What can go wrong in this host, one table for the package, in alphabetical order. */

import { defineErrors } from "remora/base";
import { harmless } from "remora/policy";

/** What the operating system says, without the path that the sentence has already. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "unknown";
  const { code } = cause as { readonly code?: unknown };
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return typeof code === "string" ? code : harmless(cause.message, 200);
}

/** One thing that is wrong in a configuration file, and where. */
export interface ConfigProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the settings: `plugins.filters[0].id`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export const takErrors = defineErrors("tak", {
  "api-request": {
    fault: "operator",
    message: (d: { problem: string }) => `Cannot do what was asked: ${d.problem}`,
  },
  config: {
    fault: "operator",
    message: (d: { file: string; problems: readonly ConfigProblem[] }) =>
      [
        `Cannot use "${d.file}": ${d.problems.length === 1 ? "1 problem" : `${d.problems.length} problems`}`,
        ...d.problems.map(
          ({ line, column, path, message }) =>
            `${d.file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`,
        ),
      ].join("\n"),
  },
  "config-file": {
    fault: "operator",
    message: (d: { path: string; reason: string }) => `Cannot read "${d.path}": ${d.reason}`,
  },
  "connect-failed": {
    fault: "operator",
    message: (d: { name: string; attempt: number; nextInMs: number | undefined; reason: string }) => {
      const next =
        d.nextInMs === undefined ? "and was the last" : `the next follows in ${Math.round(d.nextInMs)} ms`;
      return `Cannot connect to ${d.name}: attempt ${d.attempt} failed (${d.reason}), ${next}`;
    },
  },
  "connection-exists": {
    fault: "operator",
    message: (d: { name: string }) =>
      `Cannot make a second connection with the name "${harmless(d.name)}": change that one, or choose another name`,
  },
  "connection-idle": {
    fault: "operator",
    message: (d: { name: string; idleMs: number; idleMsMax: number }) =>
      `Cannot keep ${d.name}: nothing came or went for ${d.idleMs} ms, ${d.idleMsMax} are allowed`,
  },
  "connection-lost": {
    fault: "operator",
    message: (d: { name: string; reason: string }) =>
      `Cannot go on with ${d.name}: the connection broke: ${d.reason}`,
  },
  "connection-of-file": {
    fault: "operator",
    message: (d: { name: string }) =>
      `Cannot change "${harmless(d.name)}" here: it stands in the host's configuration; change it there and start the host again, or make another connection here under another name`,
  },
  "connections-max": {
    fault: "operator",
    message: (d: { name: string; max: number; refused: string }) =>
      `Cannot take ${d.refused} at ${d.name}: ${d.max} connections are open, which are all that are allowed`,
  },
  "datagram-header": {
    fault: "operator",
    message: (d: { found: string }) =>
      `Cannot read a datagram that starts with ${d.found}: a TAK datagram starts with bf 01 bf, or is one XML event`,
  },
  "datagram-too-large": {
    fault: "operator",
    message: (d: { name: string; uid: string; sizeBytes: number; sizeBytesMax: number }) =>
      `Cannot send "${d.uid}" to ${d.name}: it has ${d.sizeBytes} bytes, a datagram takes ${d.sizeBytesMax}`,
  },
  elevation: {
    fault: "operator",
    message: (d: { path: string; problem: string }) =>
      `Cannot use "${d.path}" as a source of heights: ${d.problem}`,
  },
  "event-too-large": {
    fault: "operator",
    message: (d: { sizeBytes: number; sizeBytesMax: number; at: number }) =>
      `Cannot take the event at byte ${d.at}: it has ${d.sizeBytes} bytes or more, ${d.sizeBytesMax} are allowed`,
  },
  "field-invalid": {
    fault: "operator",
    message: (d: { field: string; found: string; allowed: string; at: number }) =>
      `Cannot read "${d.field}" of the event at byte ${d.at}: found "${d.found}", allowed is ${d.allowed}`,
  },
  "field-missing": {
    fault: "operator",
    message: (d: { field: string; at: number }) =>
      `Cannot read the event at byte ${d.at}: it has no "${d.field}", which every event must have`,
  },
  "filter-pattern": {
    fault: "operator",
    message: (d: { pattern: string; found: string; allowed: string }) =>
      `Cannot use the pattern "${d.pattern}": ${d.found}; allowed are ${d.allowed}`,
  },
  "filter-range": {
    fault: "operator",
    message: (d: { field: string; found: number; allowed: string }) =>
      `Cannot use ${d.found} as "${d.field}" of a filter: it must be ${d.allowed}`,
  },
  "frame-length": {
    fault: "operator",
    message: (d: { at: number; found: string; allowed: string }) =>
      `Cannot read the length of the message at byte ${d.at}: ${d.found}; allowed is ${d.allowed}`,
  },
  "frame-start": {
    fault: "operator",
    message: (d: { at: number; found: string; allowed: string }) =>
      `Cannot find a message at byte ${d.at}: found ${d.found}, allowed is ${d.allowed}`,
  },
  "frame-unsynchronised": {
    fault: "operator",
    message: (d: { at: number; skippedBytes: number }) =>
      `Cannot find the next event by byte ${d.at}: ${d.skippedBytes} bytes were skipped since the last bad one`,
  },
  "group-name-too-long": {
    fault: "operator",
    message: (d: { uid: string; length: number; lengthMax: number }) =>
      `Cannot match the group name of "${d.uid}": it has ${d.length} characters, ${d.lengthMax} are allowed`,
  },
  "kept-changes": {
    fault: "operator",
    message: (d: { path: string; doing: "read" | "write"; problem: string }) =>
      `Cannot ${d.doing} "${d.path}", which has the connections and filters that were made over the API: ${d.problem}`,
  },
  "listen-failed": {
    fault: "operator",
    message: (d: { name: string; reason: string }) => `Cannot listen at ${d.name}: ${d.reason}`,
  },
  "negotiation-timeout": {
    fault: "operator",
    message: (d: { name: string; waitedMs: number }) =>
      `Cannot agree with ${d.name} on a protocol: it did not answer for ${d.waitedMs} ms`,
  },
  "no-such-connection": {
    fault: "operator",
    message: (d: { id: string }) => `Cannot find a connection with the id "${harmless(d.id)}"`,
  },
  "no-such-filter": {
    fault: "operator",
    message: (d: { id: string }) => `Cannot find a filter with the id "${harmless(d.id)}"`,
  },
  "not-reloaded": {
    fault: "operator",
    message: (d: { failed: readonly { plugin: string; reason: string }[]; count: number }) =>
      `Cannot reload ${d.failed.length} of ${d.count} plugins: ${harmless(d.failed.map(({ plugin, reason }) => `"${plugin}": ${reason}`).join("; "), 2_000)}`,
  },
  "peer-stalled": {
    fault: "operator",
    message: (d: { name: string; queuedBytes: number; stalledMs: number }) =>
      `Cannot send to ${d.name}: it read nothing for ${d.stalledMs} ms while ${d.queuedBytes} bytes waited`,
  },
  "plugin-answer": {
    fault: "guest",
    message: (d: { wanted: string; found: string }) => `Plugin gave ${d.found} where ${d.wanted} were wanted`,
  },
  "plugin-file": {
    fault: "operator",
    message: (d: { plugin: string; path: string; reason: string }) =>
      `Cannot read the plugin "${d.plugin}" from "${d.path}": ${d.reason}; allowed are a bundle, a plugin's folder, and a .wasm`,
  },
  "plugin-held": {
    fault: "operator",
    message: (d: { plugin: string; doing: string }) =>
      `Cannot ${d.doing} "${harmless(d.plugin)}": its first version waits for consent, and nothing of it runs before that`,
  },
  "plugin-kind": {
    fault: "publisher",
    message: (d: { plugin: string; wanted: string; found: string }) =>
      `Cannot use the plugin "${d.plugin}" here: it is a ${d.found}, and the chain has it as a ${d.wanted}`,
  },
  "plugin-renamed": {
    fault: "operator",
    message: (d: { plugin: string; path: string; found: string }) =>
      `Cannot take "${d.path}" for the plugin "${d.plugin}": it has "${harmless(d.found)}" now, for which the settings have to name it`,
  },
  "plugin-settings": {
    fault: "operator",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot give the plugin "${d.plugin}" its settings: ${d.reason}`,
  },
  "plugin-shape": {
    fault: "publisher",
    message: (d: { plugin: string; wanted: readonly string[]; found: readonly string[] }) =>
      `Cannot use the plugin "${d.plugin}": it exports ${d.found.join(", ") || "nothing"}, and one of ${d.wanted.join(", ")} is wanted`,
  },
  "plugin-twice": {
    fault: "operator",
    message: (d: { plugin: string; ids: readonly string[] }) =>
      `Cannot run the plugin "${d.plugin}" as ${d.ids.map((id) => `"${id}"`).join(" and ")}: a plugin runs once`,
  },
  "protobuf-malformed": {
    fault: "operator",
    message: (d: { found: string; at: number }) =>
      `Cannot read the TAK protocol message at byte ${d.at}: ${d.found}`,
  },
  "queue-full": {
    fault: "operator",
    message: (d: { name: string; queuedBytes: number; queuedBytesMax: number }) =>
      `Cannot send to ${d.name}: ${d.queuedBytes} bytes wait for it, ${d.queuedBytesMax} are allowed`,
  },
  "recording-malformed": {
    fault: "operator",
    message: (d: { at: number; found: string }) =>
      `Cannot read the recording at byte ${d.at}: found ${d.found}`,
  },
  "stream-cut": {
    fault: "operator",
    message: (d: { at: number; sizeBytes: number }) =>
      `Cannot complete the event at byte ${d.at}: the stream ends after ${d.sizeBytes} bytes of it`,
  },
  "tls-failed": {
    fault: "operator",
    message: (d: { name: string; reason: string }) => `Cannot agree with ${d.name} on TLS: ${d.reason}`,
  },
  "tls-file": {
    fault: "operator",
    message: (d: { path: string; reason: string }) =>
      `Cannot read the key or certificate "${d.path}": ${d.reason}`,
  },
  "too-many-bad-events": {
    fault: "operator",
    message: (d: { count: number; at: number }) =>
      `Cannot go on with the stream at byte ${d.at}: ${d.count} events in a row were bad`,
  },
  "transform-refused": {
    fault: "guest",
    message: (d: { plugin: string; reason: string }) =>
      `Transformer "${d.plugin}" refused the event: ${d.reason}`,
  },
  "transform-result": {
    fault: "guest",
    message: (d: { plugin: string; reason: string }) =>
      `Transformer "${d.plugin}" made something that is no event: ${d.reason}`,
  },
  "version-unsupported": {
    fault: "operator",
    message: (d: { version: number }) =>
      `Cannot read TAK protocol version ${d.version}: version 1 and XML are known`,
  },
  "xml-doctype": {
    fault: "operator",
    message: (d: { at: number }) =>
      `Cannot take an event with a document type at byte ${d.at}: it could declare entities that grow without end`,
  },
  "xml-entity": {
    fault: "operator",
    message: (d: { at: number }) =>
      `Cannot resolve the reference at byte ${d.at}: allowed are &amp; &lt; &gt; &quot; &apos; and characters of XML by number`,
  },
  "xml-limit": {
    fault: "operator",
    message: (d: { what: string; max: number; at: number }) =>
      `Cannot take the event: at byte ${d.at} it has more than ${d.max} ${d.what}`,
  },
  "xml-malformed": {
    fault: "operator",
    message: (d: { found: string; at: number }) => `Cannot read the event as XML: ${d.found} at byte ${d.at}`,
  },
  "xml-nested-event": {
    fault: "operator",
    message: (d: { at: number }) =>
      `Cannot read the event: at byte ${d.at}, before its end, another begins or ends`,
  },
});
