/** A Signal K host that runs: the server, its plugins, its inputs, and its door. */

import { randomUUID } from "node:crypto";
import { type AuditSink, auditLines } from "remora/sandbox";
import { pluginRoutes } from "./admin/plugin-routes.ts";
import { type Clock, systemClock } from "./clock.ts";
import { openHttp, type RunningHttp } from "./http/http-server.ts";
import { modelRoutes } from "./http/model-routes.ts";
import { providerRoutes } from "./http/provider-routes.ts";
import { radarRoutes } from "./http/radar-routes.ts";
import { Pace } from "./plugin/pace.ts";
import type { PluginDeps } from "./plugin/plugin-deps.ts";
import { openPlugins, type Plugins } from "./plugin/plugins.ts";
import type { PluginSettings } from "./plugin/settings-file.ts";
import { SignalkServer } from "./server.ts";
import { WebSockets } from "./stream/web-sockets.ts";

export interface RunSignalkOptions {
  /** Where settings and private folders of plugins are: `plugin-config-data` in it, as signalk-server has it. */
  readonly dataFolder: string;
  /** Folders with installed packages: `…/node_modules`. */
  readonly modulesFolders: readonly string[];
  /** Default: loopback, since nobody is asked who they are. */
  readonly host?: string;
  readonly port: number;
  /** `urn:mrn:signalk:uuid:…` or `urn:mrn:imo:mmsi:…`; made anew by default. */
  readonly self?: string;
  readonly clock?: Clock;
  /** What a plugin without settings starts with. Default: disabled. */
  readonly settingsDefault?: PluginSettings;
  /** Gets one line at a time, already harmless. */
  readonly log: (line: string) => void;
  /** Gets every use that plugins make of their grants. Default: the log gets what was refused. */
  readonly audit?: AuditSink;
  readonly plugins?: Pick<
    PluginDeps,
    "limits" | "backOff" | "isWithheld" | "moreGrants" | "networkAddresses"
  >;
}

export interface RunningSignalk {
  readonly server: SignalkServer;
  readonly plugins: Plugins;
  readonly http: RunningHttp;
  close(): Promise<void>;
}

/** Plugins choose how often they ask for what they were not given. */
const auditLinesPerSecondMax = 20;

function refusals(log: (line: string) => void): AuditSink {
  const lines = auditLines(log, { linesPerSecondMax: auditLinesPerSecondMax });
  return {
    write(plugin, decision, timeMs) {
      if (decision.answer !== "allowed") lines.write(plugin, decision, timeMs);
    },
  };
}

export async function runSignalk(options: RunSignalkOptions): Promise<RunningSignalk> {
  const { log, clock = systemClock, self = `urn:mrn:signalk:uuid:${randomUUID()}` } = options;
  const server = new SignalkServer({ self, clock });
  const { plugins, refused } = await openPlugins({
    ...options.plugins,
    server: server.port,
    dataFolder: options.dataFolder,
    modulesFolders: options.modulesFolders,
    clock,
    pace: new Pace(),
    audit: options.audit ?? refusals(log),
    log: (plugin, level, text) => log(`${plugin}: ${level === "debug" ? "" : `${level}: `}${text}`),
    ...(options.settingsDefault !== undefined && { settingsDefault: options.settingsDefault }),
  });
  for (const error of refused) log(error.message);
  const sockets = new WebSockets(server);
  const routes = [
    ...modelRoutes(server),
    ...providerRoutes(server),
    ...radarRoutes(server.radars),
    ...pluginRoutes(plugins),
  ];
  const http = await openHttp({
    host: options.host ?? "127.0.0.1",
    port: options.port,
    routes,
    log,
    upgrade: (request, socket, head, target) => {
      if (!sockets.upgrade(request, socket, head, target)) socket.destroy();
    },
  });
  return {
    server,
    plugins,
    http,
    async close() {
      await plugins.close();
      sockets.close();
      await http.close();
    },
  };
}
