/** A folder of bundles as a source: each `.bundle` in it is offered under the name and version in its manifest. */

import { join } from "node:path";
import { isRemoraError } from "../../base/index.ts";
import { defaultBundleLimits, openBundle } from "../../bundle/index.ts";
import type { Vocabulary } from "../../policy/index.ts";
import { namesIn, readWhole } from "./read-file.ts";
import type { Offered, PluginSource } from "./source.ts";

/** More bundles than this in one folder are not looked through. */
const bundlesMax = 10_000;

const { bytesMax } = defaultBundleLimits;

/**
 * @param folder     Looked through each time that it is asked: what was put there a moment ago counts.
 * @param vocabulary As the hosts have it, to read the manifests.
 */
export function folderSource(folder: string, vocabulary?: Vocabulary): PluginSource {
  const options = vocabulary === undefined ? {} : { vocabulary };
  async function* offered(): AsyncGenerator<Offered & { readonly bytes: Uint8Array }> {
    const names = (await namesIn(folder)).filter((name) => name.endsWith(".bundle")).sort();
    for (const file of names.slice(0, bundlesMax)) {
      try {
        const bytes = await readWhole(join(folder, file), bytesMax);
        const bundle = openBundle(bytes, options);
        const { name, version } = bundle.manifest;
        yield { name, version, digest: bundle.digest, bytes };
      } catch (error) {
        // One that cannot be read, or is no bundle, offers nothing, and the others stay where they are.
        if (!isRemoraError(error)) throw error;
      }
    }
  }
  return {
    name: folder,
    async versions(plugin) {
      const found: Offered[] = [];
      for await (const { name, version, digest } of offered()) {
        if (name === plugin) found.push({ name, version, digest });
      }
      return found;
    },
    async *fetch({ digest }) {
      for await (const one of offered()) {
        if (one.digest !== digest) continue;
        yield one.bytes;
        return;
      }
    },
  };
}
