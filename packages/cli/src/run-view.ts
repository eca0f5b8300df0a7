/**
 * Runs a host until its time is over, somebody stops it, or it fails, and shows meanwhile what it counts: a table
 * that stays in place on a terminal, a line a second elsewhere, one JSON object at the end for programs.
 */

import { once } from "node:events";
import { type RunStats, statsJson, statsLine, statsTable } from "./run-stats.ts";
import { Screen } from "./screen.ts";
import type { Output, System } from "./system.ts";

/** A host that runs. */
export interface Running {
  /** What runs and where it listens; stands above the table. */
  readonly title: string;
  stats(): RunStats;
  /** Settles when it ended by itself: resolved when there was no more to do, rejected when it cannot go on. */
  readonly ended: Promise<void>;
  /** Drains and closes; counts may be read after it. */
  close(): Promise<void>;
}

export interface ViewOptions {
  /** Undefined runs until stopped. */
  readonly forMs: number | undefined;
  readonly isJson: boolean;
}

const REFRESH_MS = 1_000;

/**
 * Starts a host, shows it, and closes it.
 *
 * @param start Gets a function that writes a line of log where it does not disturb the display, and a signal that comes when
 *              the operator stops the command.
 * @returns     When the host is closed and the last counts are shown; rejects with what ended it.
 */
export async function viewRun(
  start: (log: (line: string) => void, signal: AbortSignal) => Promise<Running>,
  system: System,
  options: ViewOptions,
): Promise<void> {
  const show = displayOf(system, options);
  const stop = new AbortController();
  const stopped = once(stop.signal, "abort");
  // Before the start, so that a signal during it closes what has begun.
  const undo = [system.onStop(() => stop.abort())];
  try {
    const running = await start(show.log, stop.signal);
    try {
      show.begin(running.title, running.stats());
      undo.push(system.every(REFRESH_MS, () => show.refresh(running.stats())));
      if (options.forMs !== undefined) undo.push(system.every(options.forMs, () => stop.abort()));
      await Promise.race([stopped, running.ended]);
    } finally {
      for (const each of undo.splice(0)) each();
      await running.close();
      show.end(running.stats());
    }
  } finally {
    for (const each of undo) each();
  }
}

interface Display {
  readonly log: (line: string) => void;
  begin(title: string, stats: RunStats): void;
  refresh(stats: RunStats): void;
  end(stats: RunStats): void;
}

function displayOf(system: System, options: ViewOptions): Display {
  if (options.isJson) return jsonDisplay(system);
  return system.out.isTerminal ? terminalDisplay(system.out) : lineDisplay(system.out);
}

/** Nothing but the object goes to standard output. */
function jsonDisplay({ out, err }: System): Display {
  return {
    log: (line) => err.write(`${line}\n`),
    begin: (title) => err.write(`${title}\n`),
    refresh: () => {},
    end: (stats) => out.write(`${statsJson(stats)}\n`),
  };
}

function lineDisplay(out: Output): Display {
  const line = (stats: RunStats) => out.write(`${statsLine(stats)}\n`);
  return {
    log: (text) => out.write(`${text}\n`),
    begin: (title) => out.write(`${title}\n`),
    refresh: line,
    end: line,
  };
}

function terminalDisplay(out: Output): Display {
  let screen: Screen | undefined;
  const draw = (stats: RunStats) => screen?.draw(statsTable(stats, out.columns));
  return {
    log: (line) => (screen === undefined ? out.write(`${line}\n`) : screen.log(line)),
    begin: (title, stats) => {
      out.write(`${title}\n\n`);
      screen = new Screen(out);
      draw(stats);
    },
    refresh: draw,
    end: (stats) => {
      draw(stats);
      screen?.end();
    },
  };
}
