// The vocabulary of power, and how a host extends it.
export {
  type CapabilityDefinition,
  type CapabilityName,
  type CapabilityTargets,
  coreVocabulary,
  type Risk,
  type Vocabulary,
  vocabularyWith,
} from "./capability.ts";
// The one function that decides.
export {
  type Answer,
  type Ask,
  type Decision,
  decide,
  decidesAlike,
  denialOf,
  namedTargets,
  type Rules,
} from "./decide.ts";
// Errors.
export { policyErrors } from "./errors.ts";
// What is asked and what was given.
export { type Grant, parseGrant, parseGrants, parseTarget, type Request, type TypedGrant } from "./grant.ts";
// Text by strangers, made fit for a log line.
export { harmless } from "./harmless.ts";
// What an artifact imports.
export {
  type AvailableImports,
  checkImports,
  type ForbiddenKind,
  type ImportCheck,
  type ImportNeed,
  type ImportOffer,
  importName,
  type LinkedImport,
  type RefusedImport,
} from "./imports.ts";
// How targets are written.
export { formatNetwork, globCovers, parseNetwork, type TargetKind, targetKinds } from "./target.ts";
