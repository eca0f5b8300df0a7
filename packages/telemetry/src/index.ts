/** What plugins do, for the systems that operators already run. This is the package's entry. */

export { type PrometheusOptions, PrometheusText } from "./prometheus.ts";
export { spanManager } from "./spans.ts";
