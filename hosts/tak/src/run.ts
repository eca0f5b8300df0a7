/**
 * A TAK host that runs: the configuration read, plugins started, connections opened; and, for a demonstration,
 * a recording played into it.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isRemoraError } from "remora/base";
import { type ManagerEvent, recoveredText } from "remora/manager";
import { harmless } from "remora/policy";
import { connectionRequestOf } from "./api/connection-request.ts";
import { ruleOf } from "./api/filter-request.ts";
import { heldText } from "./api/plugin-views.ts";
import { parseTakConfig } from "./config/parse.ts";
import type { TakConfig } from "./config/settings.ts";
import { type Connections, type EndpointSettings, openConnections } from "./connections.ts";
import { StreamReader } from "./cot/stream-reader.ts";
import { reasonOf, takErrors } from "./errors.ts";
import { openTakHost, type PluginStats, type TakHost, type TakHostStats } from "./host.ts";
import { KeptChanges } from "./kept-changes.ts";
import { noElevation, openElevation } from "./plugin/elevation.ts";
import { readRecording } from "./recording/container.ts";
import { Player, play } from "./recording/player.ts";
import { Rate } from "./stats.ts";

export interface RunTakOptions {
  /** A YAML file of settings. */
  readonly configFile: string;
  /** Changes what the file says: ports and paths that a command line gives. */
  readonly adapt?: (config: TakConfig) => TakConfig;
  /** Gets one line at a time, already harmless. */
  readonly log: (line: string) => void;
  /** Played in a loop into the host. */
  readonly recording?: RecordingSource;
}

export interface RecordingSource {
  readonly file: string;
  /** 1 is as recorded, Infinity as fast as it goes. */
  readonly speed: number;
  /** While somebody is connected, who would drown in more; by default `speed`. */
  readonly speedWithClients?: number;
}

/** What the host counts, with rates over the last seconds. */
export interface TakRunStats extends TakHostStats {
  readonly messagesPerSecond: number;
  readonly plugins: readonly (PluginStats & { readonly callsPerSecond: number })[];
}

export interface RunningTak {
  readonly host: TakHost;
  readonly connections: Connections;
  /** The connections and filters that were made over the API. */
  readonly kept: KeptChanges;
  stats(): TakRunStats;
  /** Never resolves; rejects when the recording cannot be played on. */
  readonly ended: Promise<void>;
  /** Stops the recording, closes connections and plugins. */
  close(): Promise<void>;
}

/**
 * Starts a TAK host.
 *
 * @throws tak/config             the settings are not right; all problems with line and column
 * @throws tak/config-file        the file cannot be read
 * @throws tak/listen-failed      an address cannot be listened to
 * @throws tak/kept-changes       somebody broke the file of what was made over the API
 * @throws … whatever a plugin cannot be started for; nothing is left open
 */
export async function runTak(options: RunTakOptions): Promise<RunningTak> {
  const { configFile, log, adapt = (config) => config, recording } = options;
  const config = adapt(parseTakConfig(await readText(configFile), configFile));
  const player = recording && (await openPlayer(recording));
  const elevation =
    config.elevation === undefined
      ? noElevation
      : openElevation(resolve(dirname(configFile), config.elevation));
  const host = await openTakHost(config, {
    host: {
      log: (plugin, level, line) => log(`${plugin} ${level}: ${line}`),
      nowMs: Date.now,
      elevation,
    },
    onEvent: (event) => {
      const line = eventLine(event);
      if (line !== undefined) log(`${harmless(event.plugin, 500)} ${line}`);
    },
  }).catch((error: unknown) => {
    elevation.close();
    throw error;
  });
  let connections: Connections;
  let kept: KeptChanges;
  try {
    kept = new KeptChanges(host.manager.folder);
    const added = takeKept(kept, host);
    connections = await openConnections(config, host, (level, line) => log(`${level}: ${line}`));
    for (const one of added) await connections.addAgain(one);
  } catch (error) {
    await host.close();
    throw error;
  }
  const stop = new AbortController();
  const played =
    player === undefined || recording === undefined
      ? Promise.resolve()
      : playInto({ host, connections, player, recording, signal: stop.signal });
  const ended = new Promise<void>((_, reject) => played.catch(reject));
  // Whoever does not look at it has `close`, which fails the same way.
  ended.catch(() => {});
  const rates = new Rates();
  return {
    host,
    connections,
    kept,
    stats: () => rates.of(host.stats()),
    ended,
    async close() {
      stop.abort();
      try {
        await played;
      } finally {
        await connections.close();
        await host.close();
      }
    },
  };
}

/** Rules hold from the first message on. @returns The connections to open. @throws tak/kept-changes */
function takeKept(kept: KeptChanges, host: TakHost): readonly EndpointSettings[] {
  try {
    host.rules.set(kept.of("filters").map(ruleOf));
    return kept.of("connections").map(({ request }) => connectionRequestOf(request));
  } catch (cause) {
    if (!isRemoraError(cause)) throw cause;
    throw takErrors["kept-changes"]({ path: kept.path, doing: "read", problem: cause.message }, cause);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw takErrors["config-file"]({ path: file, reason: reasonOf(cause) }, cause);
  }
}

async function openPlayer({ file }: RecordingSource): Promise<Player> {
  try {
    return new Player(readRecording(await readFile(file)), Date.now());
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw takErrors["config-file"]({ path: file, reason: reasonOf(cause) }, cause);
    }
    throw cause;
  }
}

interface Playing {
  readonly host: TakHost;
  readonly connections: Connections;
  readonly player: Player;
  readonly recording: RecordingSource;
  readonly signal: AbortSignal;
}

/** The recorded frames take the same way as those of a connection: through framing and parsing. */
async function playInto({ host, connections, player, recording, signal }: Playing): Promise<void> {
  const { speed, speedWithClients = speed } = recording;
  let room: Promise<void> | undefined;
  const reader = new StreamReader({
    onMessage(message) {
      room = host.accept(message, undefined);
    },
    onBadEvent: (error) => {
      // The recording is ours: an event of it that cannot be read is our own mistake.
      throw error;
    },
  });
  await play(
    player,
    { speed: () => (connections.openCount > 0 ? speedWithClients : speed), signal },
    ({ bytes }) => {
      reader.push(bytes);
      return room;
    },
  );
}

class Rates {
  readonly #messages = new Rate();
  readonly #calls = new Map<string, Rate>();

  of(stats: TakHostStats): TakRunStats {
    const nowMs = performance.now();
    return {
      ...stats,
      messagesPerSecond: this.#messages.next(stats.messages, nowMs),
      plugins: stats.plugins.map((plugin) => ({
        ...plugin,
        callsPerSecond: this.#rateOf(plugin.id).next(plugin.calls, nowMs),
      })),
    };
  }

  #rateOf(id: string): Rate {
    let rate = this.#calls.get(id);
    if (rate === undefined) {
      rate = new Rate();
      this.#calls.set(id, rate);
    }
    return rate;
  }
}

/** What an operator has to answer or to mend; all else is asked for over the admin interface. */
function eventLine(event: ManagerEvent): string | undefined {
  switch (event.kind) {
    case "held":
      return `warn: ${heldText(event.request.version, event.request.publisher)}`;
    case "recovered":
      return `warn: ${recoveredText(event)}`;
    case "trouble":
      return `error: ${harmless(`${event.code}: ${event.reason}`, 1_000)}`;
    default:
      return undefined;
  }
}
