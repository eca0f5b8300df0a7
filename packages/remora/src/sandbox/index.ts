/** The sandbox: what a guest's imports really do, through one gate. This is the layer's entry. */

// The gate and its audit.
export {
  type AuditEntry,
  type AuditFact,
  type AuditLog,
  type AuditSink,
  auditFacts,
  auditLines,
  auditLog,
} from "./audit.ts";
// The same result from the same input.
export { type DeterministicOptions, deterministic } from "./deterministic.ts";
export { sandboxErrors } from "./errors.ts";
// Programs.
export { type ExecOutcome, type ExecRequest, Programs } from "./exec/execute.ts";
// What its files take.
export type { FileUsage } from "./fs/mounts.ts";
export { Gate, type GateCount, type GateOptions } from "./gate.ts";
// What the engine gives.
export type { Guest, GuestMemory } from "./guest.ts";
// HTTP.
export { httpAnswers } from "./http/core-module.ts";
export { type HttpErrorCode, HttpFailure } from "./http/failure.ts";
export type { WholeRequest, WholeResponse } from "./http/request.ts";
// WebSocket.
export {
  WebSocketConnection,
  type WebSocketMessage,
  type WebSocketRequest,
  WebSockets,
} from "./http/websocket.ts";
// Bounds on what a guest may make the host hold.
export { defaultSandboxLimits, type SandboxLimits, sandboxLimits } from "./limits.ts";
export type { ClockChoice } from "./machine/clock.ts";
export type { LogLevel, LogLine, LogSink } from "./machine/log.ts";
export { blockedWaiting, noWaiting, suspendedWaiting, type Waiting } from "./machine/waiting.ts";
// Sockets.
export type { Change } from "./net/change.ts";
export type { Resolve } from "./net/lookups.ts";
export { type Endpoint, SocketError, type SocketProblem, Sockets } from "./net/sockets.ts";
export type { TcpConnection } from "./net/tcp.ts";
export type { TcpListener } from "./net/tcp-listener.ts";
export type { Datagram, UdpPort } from "./net/udp.ts";
export type { CoreImport } from "./preview1/functions.ts";
// The imports of a plugin and of its instances.
export type { HostInterface } from "./preview2/interfaces.ts";
export {
  type InstanceImports,
  type Sandbox,
  type SandboxOptions,
  sandboxImports,
  sandboxOffers,
} from "./sandbox-imports.ts";
