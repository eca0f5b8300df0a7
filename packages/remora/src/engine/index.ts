// From bytes to callable functions.

export type { HostImports } from "../component/index.ts";
export { asyncHostFunction, slowHostFunction, slowHostInterface } from "../component/index.ts";
export {
  type Artifact,
  type ArtifactOptions,
  ComponentArtifact,
  type GuestAccess,
  type InstantiateOptions,
  ModuleArtifact,
  openArtifact,
} from "./artifact.ts";
export { CompileCache, type CompileCacheOptions, keptVersion } from "./compile-cache.ts";
// Errors.
export { engineErrors, type TrapPlace } from "./errors.ts";
// What a host function reads of a core module's memory.
export { type GuestMemory, type MemoryRead, readsGuestMemory } from "./guest-memory.ts";
export { importNames } from "./import-names.ts";
export {
  type CallReport,
  ComponentInstance,
  type CoreFunctions,
  type Instance,
  ModuleInstance,
} from "./instance.ts";
// Where a guest runs.
export {
  type BatchOutcome,
  type IsolatedInstance,
  type IsolatedOptions,
  type IsolatedReport,
  type Isolation,
  type IsolationLevel,
  isolationLevels,
} from "./isolation/isolation.ts";
export { openIsolation } from "./isolation/open.ts";
export type { ProcessOptions } from "./isolation/process.ts";
export type { WorkerOptions } from "./isolation/worker.ts";
// Where work is kept between processes.
export type { RewriteStore } from "./kept-files.ts";
// What a guest may spend.
export { type Budget, type CallOptions, defaultLimits, type Limits } from "./limits.ts";
export { type LoadOptions, load } from "./load.ts";
// Instances to lease.
export { Pool, type Poolable, type PoolOptions } from "./pool.ts";
