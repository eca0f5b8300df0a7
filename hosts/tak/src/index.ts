// Messages: their two forms, read lazily and written once, and streams of them cut into events.

export { createMessage, readMessage } from "./cot/event-decoder.ts";
export type { EventFields } from "./cot/event-fields.ts";
export { type CotLimits, cotLimits, cotLimitsDefault } from "./cot/limits.ts";
export type { CotFormat, CotMessage } from "./cot/message.ts";
export { type Accepted, type StreamHandlers, StreamReader } from "./cot/stream-reader.ts";
export type { TakControl } from "./cot/tak-message.ts";

// The configuration file.

export { type ParseOptions, parseTakConfig } from "./config/parse.ts";
export { grantableDefault, takCapabilities, takLimits } from "./config/plugins.ts";
export type { Json } from "./config/reader.ts";
export type {
  ChainEntry,
  ListenerSettings,
  ListenerTls,
  PluginSettings,
  ReconnectSettings,
  ServerSettings,
  ServerTls,
  StreamLimits,
  TakConfig,
} from "./config/settings.ts";

// What decides about a message: duplicates, native filters, the chain, routes, distribution.

export { type Aggregation, Aggregator, defaultAggregation } from "./aggregate.ts";
export { Chain, type ChainCounts, type ChainOptions, type StageCounts } from "./chain/chain.ts";
export {
  type FilterStage,
  nativeStage,
  type OnFailure,
  type Stage,
  type TransformerStage,
} from "./chain/stage.ts";
export { type DistributionCounts, Distributor, type Outlet } from "./distribute.ts";
export { compileFilter, type Predicate } from "./filters/compile.ts";
export type { Affiliation, BoundingBox, Dimension, FilterSpec } from "./filters/spec.ts";
export { type Route, type RouteCounts, RouteTable, type Routing } from "./routes/route-table.ts";

// Recordings, and the rates that a display shows.

export {
  type RecordedEvent,
  type Recording,
  type RecordingHeader,
  readRecording,
  type TimeKind,
  type TimePlace,
  writeRecording,
} from "./recording/container.ts";
export { type PlayClock, type PlayedEvent, Player, type PlayOptions, play } from "./recording/player.ts";
export { Rate } from "./stats.ts";

// Plugins, and the host that they run in.

export { type Connections, type EndpointSettings, openConnections, type Tell } from "./connections.ts";
export {
  type OpenTakHostOptions,
  openTakHost,
  type PluginStats,
  TakHost,
  type TakHostStats,
} from "./host.ts";
export { type ElevationSource, noElevation, openElevation } from "./plugin/elevation.ts";
export { type LogLevel, type TakHostOptions, takHostImports } from "./plugin/host-functions.ts";
export { pluginHost, takHostVersion, takPluginHost } from "./plugin/plugin-host.ts";
export { openPluginStage, type PluginStage, type PluginStageOptions } from "./plugin/plugin-stage.ts";
export { filterInterfaces, settingsInterface, transformerInterface } from "./plugin/shapes.ts";
export {
  type RecordingSource,
  type RunningTak,
  type RunTakOptions,
  runTak,
  type TakRunStats,
} from "./run.ts";

// OmniTAK's API.

export type { ApiAnswer, ApiRequest, ApiRoute, ApiSocket } from "./api/mounted.ts";
export { type OmnitakApi, type OmnitakApiOptions, omnitakApi } from "./api/omnitak-api.ts";
export { KeptChanges } from "./kept-changes.ts";

// Errors.

export { type ConfigProblem, takErrors } from "./errors.ts";

// Connections: streams over TCP and TLS from both sides, meshes over UDP.
export { type BackOffOptions, backOffDefault } from "./net/back-off.ts";
export { type Clock, systemClock } from "./net/clock.ts";
export type { Connection, ConnectionHandlers, ConnectionStats } from "./net/connection.ts";
export { Mesh, type MeshGroup, type MeshOptions } from "./net/mesh.ts";
export {
  StreamClient,
  type StreamClientHandlers,
  type StreamClientOptions,
  type StreamClientTls,
} from "./net/stream-client.ts";
export { type StreamOptions, streamDefaults } from "./net/stream-connection.ts";
export {
  StreamServer,
  type StreamServerHandlers,
  type StreamServerOptions,
  type StreamServerTls,
} from "./net/stream-server.ts";
export type { WhenFull } from "./net/write-queue.ts";
