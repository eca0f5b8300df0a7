/** The manager: a plugin's life, from its file to its last call. This is the layer's entry. */

// What a plugin has done and holds.
export { accountOf, type PluginAccount } from "./accounting/account.ts";
// The audit trail: append-only lines, linked by their hashes.

export { gateAudit } from "./audit/gate-audit.ts";
export { type ReadTrailOptions, readTrail, verifyTrailFolder } from "./audit/read-trail.ts";
export { type AuditEvent, type AuditRecord, auditEventBytesMax, type ChainEnd } from "./audit/record.ts";
export { type AuditResumption, AuditTrail, type AuditTrailOptions } from "./audit/trail.ts";
export type { AuditProblem, AuditRemoval, AuditVerdict, BrokenTrail, IntactTrail } from "./audit/verify.ts";
// The event bus between plugins, and the values that they share.
export {
  type BusEvent,
  type BusLimits,
  defaultBusLimits,
  EventBus,
  type PublishOutcome,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionCounts,
  type WhenFull,
} from "./bus/event-bus.ts";
export {
  type BusSubscriber,
  busHostFunctions,
  busSubscriberInterface,
  gatedInterfaces,
  PluginBus,
  type PluginBusOptions,
} from "./bus/plugin-bus.ts";
// Plugins as their host calls them, and who looks at each call.
export type { CallObserver, ObservedCall } from "./call-observer.ts";
// Time.
export { type ManagerClock, systemClock } from "./clock.ts";
// Who consents to what.
export {
  type Answered,
  type Asker,
  askNobody,
  type Consent,
  type ConsentItem,
  type ConsentRequest,
  giveAll,
} from "./consent/asker.ts";
// Hot reload while a plugin is written.
export { type WatchOptions, watchPath } from "./dev/watch.ts";
// Errors.
export { managerErrors, type StepName, stepNames } from "./errors.ts";
// What a guest of any host may export for the manager.
export { healthInterface, settingsInterface, stateInterface } from "./handover/guest-interface.ts";
// What a host tells of itself.
export type { ImportsOfInstance, InstanceLife, PluginContext, PluginHost, WorldBinding } from "./host.ts";
// Where plugins come from.
export { type PluginRef, packFolder } from "./install/fetch.ts";
export { folderSource } from "./install/folder-source.ts";
export type { InstallOptions } from "./install/install.ts";
export type { Offered, PluginSource } from "./install/source.ts";
export { LatencyHistogram } from "./latency.ts";
// The life of a plugin.
export { type BackOffOptions, backOffDefault } from "./life/back-off.ts";
export { type BreakerOptions, type BreakerState, breakerDefault } from "./life/breaker.ts";
export { type LifeEvent, lifeEvents, lifeTable, type State, states } from "./life/life.ts";
export type { ManagedPlugin } from "./managed-plugin.ts";
export type { Manager } from "./manager.ts";
// What happens.
export type { ManagerEvent, ManagerListener } from "./manager-event.ts";
export { type OpenManagerOptions, openManager } from "./open-manager.ts";
export { Plugin, type PluginMetrics, type PluginOptions } from "./plugin.ts";
export type { PluginCounts } from "./plugin-counts.ts";
export type { PluginDetails, PluginInfo } from "./plugin-info.ts";
// The operator's ceiling and rules.
export { limitsMaxDefault, type ManagerPolicy, type PluginPolicy } from "./policy.ts";
// Rewritten modules, kept between processes.
export { RewriteFolder } from "./rewrite-folder.ts";
export { rewrittenBytesMaxDefault } from "./rewrites.ts";
// Secrets.
export { isSecretReference, type SecretReference, type SecretSource } from "./settings/secrets.ts";
// Settings.
export { checkSettings } from "./settings/settings.ts";
// Values that plugins share.
export {
  defaultSharedStateLimits,
  type SetOutcome,
  type SharedEntry,
  SharedState,
  type SharedStateLimits,
} from "./shared-state/shared-state.ts";
// Who signed what.
export type { PublisherChange } from "./signer.ts";
// What is kept.
export type { InstalledVersion, KeptVersion, Operation } from "./store/entry.ts";
export { type FileLock, takeFileLock } from "./store/file-lock.ts";
export type { FileSystem } from "./store/file-system.ts";
export type { Holder } from "./store/holder.ts";
export { type Recovered, recoveredText } from "./store/recover.ts";
