/** A Signal K host that runs: the server, its plugins, its inputs, and its door. */

import { randomUUID } from "node:crypto";
import { type AuditSink, auditLines } from "remora/sandbox";
import { pluginRoutes } from "./admin/plugin-routes.ts";
import { type Clock, systemClock } from "./clock.ts";
import { CourseFile } from "./course/course-file.ts";
import { CourseSettings } from "./course/course-settings.ts";
import { autopilotRoutes } from "./http/autopilot-routes.ts";
import { courseRoutes } from "./http/course-routes.ts";
import { featureRoutes } from "./http/feature-routes.ts";
import { openHttp, type RunningHttp } from "./http/http-server.ts";
import { modelRoutes } from "./http/model-routes.ts";
import { notificationRoutes } from "./http/notification-routes.ts";
import { providerRoutes } from "./http/provider-routes.ts";
import { radarRoutes } from "./http/radar-routes.ts";
import { type Input, type InputSettings, openInput } from "./input/inputs.ts";
import { type BundleOptions, type Bundles, openBundles } from "./managed/bundles.ts";
import { pluginIdOf } from "./plugin/manifest.ts";
import { Pace } from "./plugin/pace.ts";
import type { PluginDeps } from "./plugin/plugin-deps.ts";
import { openPlugins, type Plugins } from "./plugin/plugins.ts";
import type { ServedPlugin } from "./plugin/served-plugin.ts";
import type { PluginSettings } from "./plugin/settings-file.ts";
import { type ServerOptions, SignalkServer } from "./server.ts";
import { WebSockets } from "./stream/web-sockets.ts";
import { bundleWebapps, discoverWebapps, webappListRoutes, webappRoutes } from "./webapps/webapps.ts";

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
  /** A manager beside the installed packages, whose bundles are plugins as well. Default: none. */
  readonly bundles?: BundleOptions;
  /** Instruments to listen to. Default: none. */
  readonly inputs?: readonly InputSettings[];
  /** Gets one line at a time, already harmless. */
  readonly log: (line: string) => void;
  /** Gets every use that plugins make of their grants. Default: the log gets what was refused. */
  readonly audit?: AuditSink;
  readonly plugins?: Pick<
    PluginDeps,
    "limits" | "guestClock" | "backOff" | "isolation" | "isWithheld" | "moreGrants" | "networkAddresses"
  >;
}

export interface RunningSignalk {
  readonly server: SignalkServer;
  /** The installed packages. */
  readonly plugins: Plugins;
  readonly bundles: Bundles | undefined;
  readonly http: RunningHttp;
  readonly inputs: readonly Input[];
  stats(): SignalkRunStats;
  close(): Promise<void>;
}

/** Counts since the start. */
export interface SignalkRunStats {
  readonly deltas: number;
  /** Values that found no place in the model. */
  readonly refused: number;
  readonly plugins: readonly SignalkPluginStats[];
}

export interface SignalkPluginStats {
  readonly id: string;
  readonly calls: number;
  readonly traps: number;
  /** Mean over all calls, in WebAssembly instructions. */
  readonly fuelPerCall: number;
  /** Of a call with its texts handed over; one in sixteen is timed. */
  readonly p50ns: number;
  readonly p99ns: number;
}

function runStats(server: SignalkServer, plugins: readonly ServedPlugin[]): SignalkRunStats {
  return {
    deltas: server.deltaCount,
    refused: server.model.refusedCount,
    plugins: plugins.map(({ id, account }) => {
      const { calls, traps, fuelUsed } = account.counts;
      return {
        id,
        calls,
        traps,
        fuelPerCall: calls === 0 ? 0 : fuelUsed / calls,
        p50ns: account.latency.percentile(0.5),
        p99ns: account.latency.percentile(0.99),
      };
    }),
  };
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

/**
 * Starts a Signal K host.
 *
 * @throws signalk/listen-failed the port cannot be had
 * @throws … whatever the folder of bundles or an input cannot be opened for; nothing is left open
 */
export async function runSignalk(options: RunSignalkOptions): Promise<RunningSignalk> {
  const { log, clock = systemClock, self = `urn:mrn:signalk:uuid:${randomUUID()}` } = options;
  const { server, courseKept } = await openServer({ self, clock }, options);
  const shared = {
    ...options.plugins,
    server: server.port,
    clock,
    pace: new Pace(),
    log: (plugin: string, level: "debug" | "warn" | "error", text: string) =>
      log(`${plugin}: ${level === "debug" ? "" : `${level}: `}${text}`),
  };
  const { plugins, refused } = await openPlugins({
    ...shared,
    dataFolder: options.dataFolder,
    modulesFolders: options.modulesFolders,
    audit: options.audit ?? refusals(log),
    ...(options.settingsDefault !== undefined && { settingsDefault: options.settingsDefault }),
  });
  for (const error of refused) log(error.message);
  const isTaken = (id: string) => plugins.get(id) !== undefined;
  let bundles: Bundles | undefined;
  const inputs: Input[] = [];
  const sockets = new WebSockets(server);
  let http: RunningHttp | undefined;
  const close = async () => {
    for (const input of inputs) input.close();
    await plugins.close();
    await bundles?.close();
    sockets.close();
    await http?.close();
    await courseKept();
  };
  try {
    bundles =
      options.bundles &&
      (await openBundles(options.bundles, { ...shared, dataFolder: options.dataFolder, isTaken }));
    for (const input of options.inputs ?? []) inputs.push(await openInput(input, server, log));
    http = await openRoutes({ server, sockets, plugins, bundles }, options);
  } catch (error) {
    await close();
    throw error;
  }
  const all = () => [...plugins.all(), ...(bundles?.all() ?? [])];
  return { server, plugins, bundles, http, inputs, stats: () => runStats(server, all()), close };
}

/** What is reached over HTTP and WebSockets. */
async function openRoutes(
  {
    server,
    sockets,
    plugins,
    bundles,
  }: Pick<RunningSignalk, "server" | "plugins" | "bundles"> & { readonly sockets: WebSockets },
  options: RunSignalkOptions,
): Promise<RunningHttp> {
  const served = {
    get: (id: string) => plugins.get(id) ?? bundles?.get(id),
    all: () => [...plugins.all(), ...(bundles?.all() ?? [])],
  };
  const webapps = await discoverWebapps(options.modulesFolders);
  const findPlugin = (name: string) => served.get(pluginIdOf(name));
  const routes = [
    ...modelRoutes(server),
    ...providerRoutes(server),
    ...radarRoutes(server.radars),
    ...autopilotRoutes(server.autopilots),
    ...courseRoutes(server.course),
    ...notificationRoutes(server.notifications),
    ...featureRoutes(served),
    ...pluginRoutes(served),
    ...webappListRoutes(() => [...webapps, ...bundleWebapps(bundles?.all() ?? [])], findPlugin),
    ...webappRoutes(webapps, findPlugin),
  ];
  return openHttp({
    host: options.host ?? "127.0.0.1",
    port: options.port,
    routes,
    changingRoutes: () => webappRoutes(bundleWebapps(bundles?.all() ?? []), findPlugin),
    log: options.log,
    upgrade: (request, socket, head, target) => {
      if (!sockets.upgrade(request, socket, head, target)) socket.destroy();
    },
  });
}

/** With the course that was kept. */
async function openServer(
  serverOptions: ServerOptions,
  { dataFolder, log }: RunSignalkOptions,
): Promise<{ readonly server: SignalkServer; readonly courseKept: () => Promise<void> }> {
  const told = (error: unknown) =>
    log(`The course cannot be kept: ${error instanceof Error ? error.message : String(error)}`);
  const file = new CourseFile(dataFolder, told);
  const settings = new CourseSettings(dataFolder, told);
  const server = new SignalkServer({
    ...serverOptions,
    keepCourse: (course) => file.keep(course),
    keepApiOnly: (isApiOnly) => settings.keepApiOnly(isApiOnly),
  });
  const isApiOnly = await settings.isApiOnly().catch((error: unknown) => {
    // Nothing else of that file is needed here, and the log says what is wrong with it.
    told(error);
    return false;
  });
  server.course.restore({ course: await file.read(), isApiOnly });
  const courseKept = async () => {
    await file.settled();
    await settings.settled();
  };
  return { server, courseKept };
}
