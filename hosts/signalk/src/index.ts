// The host that runs, and the server inside of it.

export {
  type RunningSignalk,
  type RunSignalkOptions,
  runSignalk,
  type SignalkPluginStats,
  type SignalkRunStats,
} from "./run.ts";
export { type ServerOptions, SignalkServer } from "./server.ts";

// The same host as a plugin of signalk-server.

export { type NodePlugin, signalkServerPlugin } from "./signalk-server/node-plugin.ts";
export type { ServerApp } from "./signalk-server/server-app.ts";

// Deltas.

export type { Delta, PathValue, StampedDelta, StampedUpdate, Update } from "./delta/delta.ts";
export type { Published } from "./delta/published.ts";

// Instruments.

export type { Decoder, DecoderName } from "./input/decoder.ts";
export type { Input, InputSettings } from "./input/inputs.ts";

// Bundles, through a manager.

export type { BundlePlugin } from "./managed/bundle-plugin.ts";
export type { BundleOptions, Bundles } from "./managed/bundles.ts";
export { pluginHost, signalkHostVersion } from "./managed/plugin-host.ts";

// Plugins.

export type { GivenGrant } from "./plugin/grants.ts";
export { processorClock } from "./plugin/guest-clock.ts";
export { type PluginManifest, pluginIdOf, type WasmCapabilities } from "./plugin/manifest.ts";
export { SignalkPlugin } from "./plugin/plugin.ts";
export { signalkLimits } from "./plugin/plugin-deps.ts";
export type { Plugins } from "./plugin/plugins.ts";
export type { PluginState, ServedPlugin } from "./plugin/served-plugin.ts";
export type { PluginSettings } from "./plugin/settings-file.ts";

// Errors.

export { signalkErrors } from "./errors.ts";
