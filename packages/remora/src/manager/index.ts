// The audit trail: append-only lines, linked by their hashes.

export { gateAudit } from "./audit/gate-audit.ts";
export { type ReadTrailOptions, readTrail, verifyTrailFolder } from "./audit/read-trail.ts";
export { type AuditEvent, type AuditRecord, auditEventBytesMax, type ChainEnd } from "./audit/record.ts";
export { type AuditResumption, AuditTrail, type AuditTrailOptions } from "./audit/trail.ts";
export type { AuditProblem, AuditVerdict, BrokenTrail, IntactTrail } from "./audit/verify.ts";
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
  PluginBus,
  type PluginBusOptions,
} from "./bus/plugin-bus.ts";
// Errors.
export { managerErrors } from "./errors.ts";
// A plugin that runs.
export { LatencyHistogram } from "./latency.ts";
export { Plugin, type PluginMetrics, type PluginOptions } from "./plugin.ts";
// Rewritten modules, kept between processes.
export { RewriteFolder } from "./rewrite-folder.ts";
export {
  defaultSharedStateLimits,
  type SetOutcome,
  type SharedEntry,
  SharedState,
  type SharedStateLimits,
} from "./shared-state/shared-state.ts";
