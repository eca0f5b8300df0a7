/** The hosts that the program runs: each as something that counts, can be shown and is closed. */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { omnitakApi, type RunningTak, type RunTakOptions, runTak, type TakConfig } from "@remora/tak";
import type { StartDemo } from "./commands/demo.ts";
import type { StartTak } from "./commands/tak.ts";
import { type BuildReport, fromExamples, logBuild } from "./from-examples.ts";
import { waitingWith, whenFree } from "./held-folder.ts";
import { openHostAdmin } from "./host-admin.ts";
import type { Running } from "./run-view.ts";
import { startSignalkDemo } from "./signalk-demo.ts";

/** The demonstration's files stand in the repository, beside the packages. */
const exampleFolder = fileURLToPath(new URL("../../../examples/", import.meta.url));

/** Fast enough to see things move, slow enough for a map. */
const speedWithClients = 60;

/** Runs the TAK host with an operator's settings. */
export const startTak: StartTak = async ({ config, log, signal, jwtSecret }) => {
  const tak = await whenFree(() => runTak({ configFile: config, log }), waitingWith(log, signal));
  return running(tak, { what: config, log, jwtSecret });
};

/** Runs a host on its recording, with plugins that are built from their sources if need be. */
export const startDemo: StartDemo = (options) =>
  options.host === "tak" ? startTakDemo(options) : startSignalkDemo(exampleFolder, options);

const startTakDemo: StartDemo = async ({ port, speed, log, signal }) => {
  const { buildExamples } = await fromExamples<ExampleBuilder>(exampleFolder, "build.ts");
  logBuild(await buildExamples(), log);
  const options: RunTakOptions = {
    configFile: `${exampleFolder}tak/demo.yaml`,
    log,
    adapt: (config) => withPort(config, port),
    recording: {
      file: `${exampleFolder}tak/recording/the-hague.cotrec.gz`,
      speed: speed ?? Number.POSITIVE_INFINITY,
      speedWithClients: speed ?? speedWithClients,
    },
  };
  const tak = await whenFree(() => runTak(options), waitingWith(log, signal));
  return running(tak, { what: "a recorded hour around The Hague", log, jwtSecret: undefined });
};

interface ExampleBuilder {
  buildExamples(): Promise<BuildReport>;
}

function withPort(config: TakConfig, port: number): TakConfig {
  return { ...config, listeners: config.listeners.map((listener) => ({ ...listener, port })) };
}

interface RunningOptions {
  readonly what: string;
  readonly log: (line: string) => void;
  readonly jwtSecret: Uint8Array | undefined;
}

/** With the admin interface of its plugins. */
async function running(tak: RunningTak, { what, log, jwtSecret }: RunningOptions): Promise<Running> {
  const { manager, config } = tak.host;
  const pluginFolder = resolve(dirname(config.file), config.pluginDir);
  const { host, connections, kept } = tak;
  const omnitak = omnitakApi({
    host,
    connections,
    kept,
    pluginFolder,
    nowMs: Date.now,
    memoryBytes: process.memoryUsage.rss,
  });
  const admin = await openHostAdmin({
    manager,
    mounts: [omnitak],
    log,
    ...(jwtSecret !== undefined && { jwtSecret }),
  }).catch(async (error: unknown) => {
    omnitak.close();
    await tak.close();
    throw error;
  });
  const listening = tak.connections.listening.map(({ name }) => name).join(", ") || "nothing";
  return {
    title: `TAK host on ${what}; listening on ${listening}\n${admin.line}`,
    stats: () => tak.stats(),
    ended: tak.ended,
    async close() {
      await admin.close();
      omnitak.close();
      await tak.close();
    },
  };
}
