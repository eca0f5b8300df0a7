/** From two looks at the accounts of plugins to what they do a second: the rows of `remora top`. */

import type { PluginView } from "@remora/admin";
import { harmless } from "remora/policy";
import { showBytes, showCount, showNanoseconds } from "./quantity.ts";
import { cutTo, tableLines } from "./table.ts";

export interface PluginRate {
  readonly name: string;
  readonly version: string | null;
  readonly state: string;
  readonly callsPerSecond: number;
  readonly fuelPerCall: number;
  /** Of one processor, in percent. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly p50ns: number;
  readonly p99ns: number;
  readonly hostCallsPerSecond: number;
  readonly traps: number;
  readonly reloads: number;
  readonly returns: number;
}

interface Look {
  readonly atMs: number;
  readonly plugins: readonly PluginView[];
}

/** Who uses the processor most stands first. @param before Undefined at the first look: then all rates are 0. */
export function pluginRates(before: Look | undefined, now: Look): PluginRate[] {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
  const known = new Map(before?.plugins.map((plugin) => [plugin.name, plugin.account]));
  return now.plugins
    .map(({ name, version, state, isEnabled, account }) => {
      const past = known.get(name);
      // A plugin that was removed and is there again begins anew.
      const grown = (field: "calls" | "fuelUsed" | "cpuMs" | "hostCalls") =>
        past === undefined ? 0 : Math.max(0, account[field] - past[field]);
      const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0);
      const calls = grown("calls");
      return {
        name,
        version,
        state: isEnabled ? state : "disabled",
        callsPerSecond: perSecond(calls),
        fuelPerCall: calls > 0 ? grown("fuelUsed") / calls : 0,
        cpuPercent: perSecond(grown("cpuMs")) / 10,
        memoryBytes: account.memoryBytes,
        p50ns: account.p50ns,
        p99ns: account.p99ns,
        hostCallsPerSecond: perSecond(grown("hostCalls")),
        traps: account.traps,
        reloads: account.reloads,
        returns: account.returns,
      };
    })
    .sort((a, b) => b.cpuPercent - a.cpuPercent || (a.name < b.name ? -1 : 1));
}

const titles = [
  "plugin",
  "version",
  "state",
  "calls/s",
  "cpu",
  "memory",
  "fuel/call",
  "p50",
  "p99",
  "traps",
  "reloads",
];

export function rateTable(rates: readonly PluginRate[], width: number): string[] {
  return tableLines(
    titles.map((title, at) => ({ title, align: at < 3 ? "left" : "right" })),
    rates.map((rate) => [
      cutTo(harmless(rate.name), 24),
      cutTo(harmless(rate.version ?? "–"), 12),
      rate.state,
      showCount(rate.callsPerSecond),
      `${rate.cpuPercent.toFixed(1)} %`,
      showBytes(rate.memoryBytes),
      showCount(rate.fuelPerCall),
      showNanoseconds(rate.p50ns),
      showNanoseconds(rate.p99ns),
      showCount(rate.traps),
      showCount(rate.reloads),
    ]),
    width,
  );
}

/** One second on one line, for a log. */
export function rateLine(rates: readonly PluginRate[]): string {
  return rates
    .map(
      ({ name, state, callsPerSecond, cpuPercent, p50ns, p99ns, traps }) =>
        `${harmless(name)} ${state} ${showCount(callsPerSecond)}/s cpu ${cpuPercent.toFixed(1)} % p50 ${showNanoseconds(p50ns)} p99 ${showNanoseconds(p99ns)} traps ${showCount(traps)}`,
    )
    .join(" | ");
}
