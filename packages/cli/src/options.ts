/** Options that several commands share, and what may be written for them. */

import type { Role } from "@remora/admin";
import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "./duration.ts";

export function jsonOption(what: string): Option {
  return new Option("--json", what);
}

export function forOption(): Option {
  return durationOption("--for <duration>", "stop after this time, for example 500ms, 5s or 1m");
}

export function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const durationMs = parseDuration(text);
    if (durationMs === undefined) {
      throw new InvalidArgumentError("Allowed is a number above zero with ms, s, m or h, up to 24 days: 5s.");
    }
    return durationMs;
  });
}

export function speedOption(): Option {
  return new Option(
    "--speed <factor>",
    "how fast the recording is played: 1 as it was, 60 an hour in a minute, max (default: max while nobody is connected, then 60)",
  ).argParser((text) => {
    const speed =
      text === "max" ? Number.POSITIVE_INFINITY : /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(speed > 0)) throw new InvalidArgumentError("Allowed is a number above zero, or max.");
    return speed;
  });
}

export function portOption(
  what = "TCP port on loopback for clients; 0 takes a free one (default: 8087 for tak, 3000 for signalk)",
): Option {
  return new Option("--port <number>", what).argParser((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= 65_535)) throw new InvalidArgumentError("Allowed is 0 to 65535.");
    return port;
  });
}

/** Whose a token or a login is: what the audit trail shows. */
export function ownerName(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Allowed is a name that is not empty.");
  return text;
}

export interface RoleOptions {
  readonly role: Role;
}

export function roleOption(): Option {
  return new Option("--role <role>", "reader looks, operator also starts and stops, admin decides what runs")
    .choices(["reader", "operator", "admin"] satisfies Role[])
    .default("reader");
}
