/** The hosts that the program runs: each as something that counts, can be shown and is closed. */

import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openAdmin } from "@remora/admin";
import { type RunningTak, runTak, type TakConfig } from "@remora/tak";
import type { StartDemo } from "./commands/demo.ts";
import type { StartTak } from "./commands/tak.ts";
import { cliErrors } from "./errors.ts";
import type { Running } from "./run-view.ts";

/** The demonstration's files stand in the repository, beside the packages. */
const exampleFolder = fileURLToPath(new URL("../../../examples/", import.meta.url));

/** Fast enough to see things move, slow enough for a map. */
const speedWithClients = 60;

/** Runs the TAK host with an operator's settings. */
export const startTak: StartTak = async ({ config, log }) => {
  const tak = await runTak({ configFile: config, log });
  return running(tak, config, log);
};

/** Runs the TAK host on the bundled recording, with plugins that are built from their sources if need be. */
export const startDemo: StartDemo = async ({ port, speed, log }) => {
  const { built, skipped } = await (await exampleBuilder()).buildExamples();
  if (built.length > 0) log(`built ${built.join(", ")}`);
  for (const { folder, reason } of skipped) log(`left out ${folder}: ${reason}`);
  const tak = await runTak({
    configFile: `${exampleFolder}tak/demo.yaml`,
    log,
    adapt: (config) => withPort(config, port),
    recording: {
      file: `${exampleFolder}tak/recording/the-hague.cotrec.gz`,
      speed: speed ?? Number.POSITIVE_INFINITY,
      speedWithClients: speed ?? speedWithClients,
    },
  });
  return running(tak, "a recorded hour around The Hague", log);
};

interface ExampleBuilder {
  buildExamples(): Promise<{
    readonly built: readonly string[];
    readonly skipped: readonly { readonly folder: string; readonly reason: string }[];
  }>;
}

async function exampleBuilder(): Promise<ExampleBuilder> {
  try {
    // By its path: the examples are no package, and an installed program has none.
    return (await import(pathToFileURL(`${exampleFolder}build.ts`).href)) as ExampleBuilder;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") {
      throw cliErrors["no-examples"]({ path: exampleFolder }, cause);
    }
    throw cause;
  }
}

function withPort(config: TakConfig, port: number): TakConfig {
  return { ...config, listeners: config.listeners.map((listener) => ({ ...listener, port })) };
}

/** With the admin interface of its plugins, on a free port of loopback: the other commands find it by the folder. */
async function running(tak: RunningTak, what: string, log: (line: string) => void): Promise<Running> {
  const { manager } = tak.host;
  const admin = await openAdmin({ manager, log, nowMs: Date.now }).catch(async (error: unknown) => {
    await tak.close();
    throw error;
  });
  const listening = tak.connections.listening.map(({ name }) => name).join(", ") || "nothing";
  const folder = relative(process.cwd(), manager.folder) || ".";
  return {
    title: `TAK host on ${what}; listening on ${listening}\nadmin interface at ${admin.address}, its page at ${admin.address}/docs; plugins: remora list --folder ${folder}`,
    stats: () => tak.stats(),
    ended: tak.ended,
    async close() {
      await admin.close();
      await tak.close();
    },
  };
}
