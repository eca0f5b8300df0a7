/** Options that several commands share, and what may be written for them. */

import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "./duration.ts";

export function jsonOption(what: string): Option {
  return new Option("--json", what);
}

export function forOption(): Option {
  return new Option("--for <duration>", "stop after this time, for example 500ms, 5s or 1m").argParser(
    (text) => {
      const durationMs = parseDuration(text);
      if (durationMs === undefined) {
        throw new InvalidArgumentError(
          "Allowed is a number above zero with ms, s, m or h, up to 24 days: 5s.",
        );
      }
      return durationMs;
    },
  );
}

export function portOption(): Option {
  return new Option("--port <number>", "TCP port on loopback for TAK clients; 0 takes a free one").argParser(
    (text) => {
      const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
      if (!(port <= 65_535)) throw new InvalidArgumentError("Allowed is 0 to 65535.");
      return port;
    },
  );
}
