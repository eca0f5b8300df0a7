// A plugin that runs.
export { LatencyHistogram } from "./latency.ts";
export { Plugin, type PluginMetrics, type PluginOptions } from "./plugin.ts";
// Rewritten modules, kept between processes.
export { RewriteFolder } from "./rewrite-folder.ts";
