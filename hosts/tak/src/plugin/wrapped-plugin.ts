/**
 * A `.wasm` that comes without a manifest, as those of OmniTAK do, made a bundle: under the name that the settings give
 * it, in the world that it exports, with the capabilities that its imports need.
 */

import { createHash } from "node:crypto";
import { capabilityUses, openBundle, packBundle } from "remora/bundle";
import { decodeComponent, isComponent, prepareComponent } from "remora/component";
import { sandboxOffers } from "remora/sandbox";
import { takVocabulary } from "../config/plugins.ts";
import { takErrors } from "../errors.ts";
import { takHostVersion } from "./plugin-host.ts";
import { worldExports } from "./shapes.ts";

/**
 * @param name A plugin's name; see `pluginName`.
 * @throws tak/plugin-shape it exports nothing that this host calls
 * @throws component/… wasm/… it cannot be decoded
 */
export function wrapPlugin(name: string, bytes: Uint8Array, hasSettings: boolean): Uint8Array {
  const plain = packed(name, bytes, { hasSettings, capabilities: [] });
  const bundle = openBundle(plain, { vocabulary: takVocabulary });
  const uses = capabilityUses(bundle.manifest, bundle.artifactNames(), { offers: sandboxOffers, gated: [] });
  // Nobody wrote down what it needs: what it imports says it. Without targets that is, which no import tells.
  const capabilities = uses
    .map(({ capability }) => capability)
    .filter((capability) => takVocabulary.get(capability)?.target === undefined);
  return capabilities.length === 0 ? plain : packed(name, bytes, { hasSettings, capabilities });
}

function packed(
  name: string,
  bytes: Uint8Array,
  { hasSettings, capabilities }: { readonly hasSettings: boolean; readonly capabilities: readonly string[] },
): Uint8Array {
  const digest = createHash("sha256").update(bytes).digest("hex");
  const declared = capabilities.map(
    (capability) => `[[capabilities]]\ncapability = "${capability}"\nwhy = "It imports what this gives"\n`,
  );
  // What is put in is a plugin's name, a digest and a world: none has a character that TOML would read otherwise.
  const manifest = `name = "${name}"
version = "0.0.0+${digest.slice(0, 12)}"
description = "A component without a manifest, as the settings name it"
authors = ["unknown"]
licence = "LicenseRef-unknown"
[host]
name = "tak"
version = "^${takHostVersion}"
[[artifacts]]
file = "plugin.wasm"
world = "${worldOf(name, bytes)}"
${declared.join("")}${hasSettings ? '[settings]\ntype = "object"\nadditionalProperties = true\n' : ""}`;
  return packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifest)],
      ["plugin.wasm", bytes],
    ]),
  );
}

function worldOf(plugin: string, bytes: Uint8Array): string {
  const exports = isComponent(bytes) ? [...prepareComponent(decodeComponent(bytes)).exports.keys()] : [];
  const [found] = [...worldExports].find(([, exported]) => exports.includes(exported)) ?? [];
  if (found !== undefined) return found;
  const wanted = [...worldExports.values()];
  throw takErrors["plugin-shape"]({ plugin, wanted, found: exports });
}

/** A stage's id as a plugin's name: itself where it is one, else what is left of it and a digest. */
export function pluginName(id: string): string {
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) && id.length <= 64) return id;
  const words = id.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 8);
  return `plugin-${[...words.slice(0, 4).map((word) => word.slice(0, 10)), digest].join("-")}`;
}
