/** What a running host counts, and how it is shown: as a table, as a line, as JSON. */

import { harmless } from "remora/policy";
import { showCount, showNanoseconds } from "./quantity.ts";
import { cutTo, tableLines } from "./table.ts";

export interface PluginStats {
  readonly id: string;
  readonly calls: number;
  /** Since the counts were last read. */
  readonly callsPerSecond: number;
  /** Calls that failed by the guest's own fault, limits among them. */
  readonly traps: number;
  /** Mean over all calls. */
  readonly fuelPerCall: number;
  readonly p50ns: number;
  readonly p99ns: number;
}

/** Counts since the start; `passed` and `blocked` add up to what was decided, `changed` is a part of `passed`. */
export interface RunStats {
  readonly messages: number;
  readonly passed: number;
  readonly blocked: number;
  readonly changed: number;
  readonly messagesPerSecond: number;
  readonly plugins: readonly PluginStats[];
}

/** The table of a terminal, no line longer than `width`. */
export function statsTable(stats: RunStats, width: number): string[] {
  const { messages, passed, blocked, changed, messagesPerSecond, plugins } = stats;
  return [
    ...tableLines(
      ["messages in", "passed", "blocked", "changed", "messages/s"].map((title) => ({
        title,
        align: "right",
      })),
      [[messages, passed, blocked, changed, messagesPerSecond].map(showCount)],
      width,
    ),
    "",
    ...tableLines(
      [
        { title: "plugin", align: "left" },
        ...["calls/s", "p50", "p99", "fuel/call", "traps"].map(
          (title) => ({ title, align: "right" }) as const,
        ),
      ],
      plugins.map((plugin) => [
        cutTo(harmless(plugin.id), 32),
        showCount(plugin.callsPerSecond),
        showNanoseconds(plugin.p50ns),
        showNanoseconds(plugin.p99ns),
        showCount(plugin.fuelPerCall),
        showCount(plugin.traps),
      ]),
      width,
    ),
  ];
}

/** The line of a log, one a second. */
export function statsLine(stats: RunStats): string {
  const plugins = stats.plugins.map(
    (plugin) =>
      `${harmless(plugin.id)} ${showCount(plugin.callsPerSecond)}/s p50 ${showNanoseconds(plugin.p50ns)} p99 ${showNanoseconds(plugin.p99ns)} fuel ${showCount(plugin.fuelPerCall)} traps ${showCount(plugin.traps)}`,
  );
  const { messages, passed, blocked, changed, messagesPerSecond } = stats;
  const counts = `in ${showCount(messages)} (${showCount(messagesPerSecond)}/s) passed ${showCount(passed)} blocked ${showCount(blocked)} changed ${showCount(changed)}`;
  return [counts, ...plugins].join(" | ");
}

/** One object on one line, for programs; nanoseconds and fuel are rounded. */
export function statsJson(stats: RunStats): string {
  return JSON.stringify({
    messages: stats.messages,
    passed: stats.passed,
    blocked: stats.blocked,
    changed: stats.changed,
    messagesPerSecond: Math.round(stats.messagesPerSecond),
    plugins: stats.plugins.map((plugin) => ({
      id: plugin.id,
      calls: plugin.calls,
      traps: plugin.traps,
      fuelPerCall: Math.round(plugin.fuelPerCall),
      p50ns: Math.round(plugin.p50ns),
      p99ns: Math.round(plugin.p99ns),
    })),
  });
}
