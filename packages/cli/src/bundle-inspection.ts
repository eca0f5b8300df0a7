/** What a bundle is, as far as it can be told without running any of it: plain data, as `--json` prints it. */

import {
  type Bundle,
  type CapabilityUse,
  capabilityUses,
  type Manifest,
  openBundle,
  signatureOf,
  type TrustStore,
  trustOf,
} from "remora/bundle";
import { type FileFacts, type Inspection, identityOf, inspectBytes } from "./inspection.ts";
import type { KnownCapabilities } from "./known-capabilities.ts";

export type ManifestFacts = Omit<Manifest, "dependencies" | "artifacts"> & {
  readonly dependencies: Readonly<Record<string, string>>;
};

export interface BundleInspection extends FileFacts {
  readonly kind: "bundle";
  /** Of the names, sizes and digests of its files: the same with any signature or none. */
  readonly digest: string;
  /** `verified by NAME`, `self-signed`, `unsigned` or `modified`. */
  readonly trust: string;
  readonly trustReason: string;
  readonly manifest: ManifestFacts;
  /** Capabilities that are declared otherwise than they are used. */
  readonly capabilityProblems: readonly CapabilityUse[];
  readonly artifacts: readonly { readonly world: string; readonly inspection: Inspection }[];
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
}

/**
 * Looks into a bundle.
 *
 * @throws bundle/… wasm/… component/… it, or an artifact in it, cannot be read
 */
export function inspectBundle(
  file: string,
  bytes: Uint8Array,
  {
    known,
    store,
    nowMs,
  }: { readonly known: KnownCapabilities; readonly store: TrustStore; readonly nowMs: number },
): BundleInspection {
  const bundle = openBundle(bytes, { vocabulary: known.vocabulary });
  const trust = trustOf(signatureOf(bundle), store, nowMs);
  return {
    file,
    kind: "bundle",
    ...identityOf(bytes),
    digest: bundle.digest,
    trust: trust.text,
    trustReason: trust.reason,
    manifest: manifestFacts(bundle.manifest),
    capabilityProblems: capabilityUses(bundle.manifest, bundle.artifactNames(), known.uses),
    artifacts: artifactsOf(bundle),
    files: bundle.entries.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
  };
}

function manifestFacts({ artifacts: _, ...manifest }: Manifest): ManifestFacts {
  return { ...manifest, dependencies: Object.fromEntries(manifest.dependencies) };
}

function artifactsOf(bundle: Bundle): BundleInspection["artifacts"] {
  return bundle.artifacts.map(({ file, world }) => ({
    world,
    inspection: inspectBytes(file, bundle.read(file)),
  }));
}
