/** The bundle: what a plugin is as a file, who signed it, and how far that is to be trusted. This is the layer's entry. */

// What is declared and what is imported.
export { artifactNames } from "./artifact-names.ts";
// The bundle file.
export {
  Bundle,
  type BundleArtifact,
  type BundleOptions,
  openBundle,
  type PackOptions,
  packBundle,
} from "./bundle.ts";
export {
  type ArtifactNames,
  type CapabilityUse,
  capabilityUses,
  type GatedInterface,
  type KnownUses,
} from "./capability-use.ts";
export { type BundleEntry, type BundleSignature, isBundle } from "./container.ts";
// Errors.
export { bundleErrors, type Problem } from "./errors.ts";
export { type BundleLimits, defaultBundleLimits } from "./limits.ts";
// The manifest.
export {
  type CapabilityRequest,
  type Isolation,
  isolations,
  isPluginName,
  MANIFEST_NAME,
  type Manifest,
  type ManifestArtifact,
  type ManifestLimits,
  type ManifestOptions,
  namedFiles,
  parseManifest,
  pluginNameForm,
  versionFits,
} from "./manifest/manifest.ts";
export {
  type Json,
  type SettingsProblem,
  type SettingsSchema,
  type SettingType,
  schemaProblems,
  settingsProblems,
} from "./manifest/settings-schema.ts";
// Signatures: ours in the bundle, Conductor's beside a .wasm.
export { signatureOf, signBundle } from "./trust/bundle-signature.ts";
export { generateKeyPair, type KeyPair, parsePublicKey, readPrivateKey } from "./trust/keys.ts";
export {
  parseSidecar,
  type Sidecar,
  sidecarBytesMax,
  sidecarPath,
  sidecarState,
  signSidecar,
} from "./trust/sidecar.ts";
export type { Signer } from "./trust/signer.ts";
// Whom the operator trusts.
export {
  emptyTrustStore,
  parseTrustStore,
  printTrustStore,
  type RevokedKey,
  revokeKey,
  type TrustedKey,
  type TrustStore,
  trustKey,
} from "./trust/store.ts";
export { parseTime } from "./trust/time.ts";
// How far a file is trusted, in one vocabulary.
export {
  mayRun,
  type SignatureState,
  type Trust,
  type TrustLevel,
  type TrustRule,
  trustLevels,
  trustOf,
} from "./trust/trust.ts";
// What worlds ask of an artifact.
export { checkExports, type KnownHost, type KnownWorld, worldFits } from "./world-exports.ts";
