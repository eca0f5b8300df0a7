/** Every capability, for docs/capabilities.md: what it lets a plugin do, and which imports take it. */

import { takCapabilities } from "@remora/tak";
import { type CapabilityDefinition, coreVocabulary } from "remora/policy";
import { sandboxImports } from "remora/sandbox";

const INTRODUCTION = `# Capabilities

What a plugin can be granted, each with its targets. Nothing is granted by default, and an import that takes a capability that was
not granted stops the load. A grant is data: \`{ capability: "net.http", origins: ["https://api.example.org"] }\`.

Where no import is named below, the capability is asked for at the moment when the plugin acts (it opens a file, it reads a
variable), or it belongs to what a host offers: without such a host nobody has it.

This file is printed from the tables by \`node tidy/update.ts\`.
`;

export function printCapabilities(): string {
  const imports = importsByCapability();
  const core = table([...coreVocabulary.values()], (name) => imports.get(name)?.join(", ") ?? "–");
  const tak = table(takCapabilities, () => "every TAK plugin has it");
  return [INTRODUCTION, `## Of Remora\n\n${core}\n`, `## Of the TAK host\n\n${tak}\n`].join("\n");
}

function table(definitions: readonly CapabilityDefinition[], given: (name: string) => string): string {
  const rows = definitions.map(({ name, risk, meaning, target }) => {
    const targets = target === undefined ? "none" : `\`${target.field}\``;
    return `| \`${name}\` | ${risk} | ${meaning} | ${targets} | ${given(name)} |`;
  });
  return [
    "| capability | risk | lets a plugin | targets | imports that take it |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** Interfaces by capability; the functions of a core module's import are one. */
function importsByCapability(): Map<string, string[]> {
  const nowhere = { write: () => {} };
  using sandbox = sandboxImports({
    plugin: "list",
    grants: [],
    audit: nowhere,
    log: nowhere,
    nowMs: () => 0,
  });
  const found = new Map<string, string[]>();
  for (const { import: from, capability } of sandbox.offers) {
    const name = `\`${from.replace(/\.[^./@]+$/, "").replace(/@.*$/, "")}\``;
    const names = found.get(capability) ?? [];
    if (!names.includes(name)) found.set(capability, [...names, name]);
  }
  return found;
}
