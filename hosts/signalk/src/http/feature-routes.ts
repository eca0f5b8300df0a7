/** Version 2 of the interface: which parts of it there are, and which plugins. */

import { ok } from "./exchange.ts";
import { type Route, route } from "./router.ts";

/** A plugin, as far as it is told of here. */
export interface Feature {
  readonly id: string;
  readonly name: string;
  readonly manifest: { readonly version: string };
  readonly settings: { readonly enabled: boolean };
}

/** The words that signalk-server has for the interfaces that are answered here. */
const apis = ["resources", "course", "weather", "autopilot", "radar", "notifications"];

export function featureRoutes(plugins: { all(): readonly Feature[] }): Route[] {
  return [
    route("GET", "/signalk/v2/features", ({ query }) => {
      const wanted = flagOf(query.enabled);
      const shown = plugins
        .all()
        .filter(({ settings }) => wanted === undefined || settings.enabled === wanted);
      return ok({
        apis: wanted === false ? [] : apis,
        plugins: shown.map(({ id, name, manifest, settings }) => ({
          id,
          name,
          version: manifest.version,
          enabled: settings.enabled,
        })),
      });
    }),
  ];
}

function flagOf(text: string | undefined): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}
