/**
 * What every TAK plugin may ask of this host: the three functions of `omnitak:plugin/host`, and the resource
 * through which a lazy filter reads the message that it is lent.
 */

import { type HostImports, importNames, slowHostFunction } from "remora/engine";
import { harmless } from "remora/policy";
import type { AuditSink } from "remora/sandbox";
import { type ElevationSource, noElevation } from "./elevation.ts";
import { LentMessage } from "./lent-message.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export interface TakHostOptions {
  /** Gets one line, already made harmless and cut. */
  readonly log: (plugin: string, level: LogLevel, line: string) => void;
  /** Milliseconds since 1970, UTC. */
  readonly nowMs: () => number;
  readonly elevation: ElevationSource;
  /** Gets each passage of a plugin to what it was granted. Default: the trail of the plugins' manager. */
  readonly audit?: AuditSink;
}

/** A guest chooses the length of its lines and how many there are. */
const lineLengthMax = 1_024;
const linesPerSecondMax = 100;

/** The host's imports for one plugin. */
export function takHostImports(
  plugin: string,
  { log, nowMs, elevation }: Omit<TakHostOptions, "audit">,
): HostImports {
  const lines = new LineBudget(nowMs);
  return {
    "omnitak:plugin/host@0.1.0": {
      log(level: LogLevel, message: string) {
        const admitted = lines.admit();
        if (admitted === "silent") return;
        if (admitted === "last") {
          log(plugin, "warn", `more than ${linesPerSecondMax} lines in a second: the others are left out`);
        } else log(plugin, level, harmless(message, lineLengthMax));
      },
      getCurrentTimeMs: () => BigInt(Math.trunc(nowMs())),
      // It reads a file.
      queryElevation: slowHostFunction((lat: number, lon: number) => elevation.at(lat, lon)),
    },
    "remora:tak/messages@0.1.0": { Message: LentMessage },
  };
}

/** So many lines a second; the first one too many is told once. */
class LineBudget {
  readonly #nowMs: () => number;
  #second = Number.NEGATIVE_INFINITY;
  #lines = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  admit(): "line" | "last" | "silent" {
    const second = Math.floor(this.#nowMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    this.#lines++;
    if (this.#lines <= linesPerSecondMax) return "line";
    return this.#lines === linesPerSecondMax + 1 ? "last" : "silent";
  }
}

/** What a plugin of this host may import without being granted anything. */
export const hostFunctionNames: readonly string[] = importNames(
  takHostImports("none", { log: () => {}, nowMs: () => 0, elevation: noElevation }),
);
