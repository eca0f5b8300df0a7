/** Remora: WebAssembly plugins by strangers, inside a Node.js application. */

// Errors: compare `code`.
export { type Fault, isRemoraError, RemoraError } from "./base/index.ts";
// A host function that may take long says so.
// Values of a world.
export {
  abortable,
  asyncHostFunction,
  ComponentError,
  slowHostFunction,
  slowHostInterface,
} from "./component/index.ts";
// Load one plugin.
// What a guest may spend, and what it exports.
export {
  type Artifact,
  type Budget,
  type CallReport,
  defaultLimits,
  type HostImports,
  type Instance,
  type IsolatedInstance,
  type Isolation,
  type IsolationLevel,
  importNames,
  type Limits,
  type LoadOptions,
  load,
  openArtifact,
  openIsolation,
} from "./engine/index.ts";
// Keep one running, with what it was granted; or many, from their files to their last calls.
export {
  type Manager,
  type OpenManagerOptions,
  openManager,
  Plugin,
  type PluginHost,
  type PluginMetrics,
  type PluginOptions,
  type WorldBinding,
} from "./manager/index.ts";
// What capabilities are called, a host's own among them.
export { vocabularyWith } from "./policy/index.ts";
