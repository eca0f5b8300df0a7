/** `remora top`: plugins live, as `top` shows processes. */

import type { Happening, PluginView } from "@remora/admin";
import { Command } from "commander";
import { type FolderOptions, folderOption, type House, type OpenHouse, withHouse } from "../house.ts";
import { forOption, jsonOption } from "../options.ts";
import { type PluginRate, pluginRates, rateLine, rateTable } from "../plugin-rates.ts";
import { Screen } from "../screen.ts";
import type { System } from "../system.ts";
import { untilStopped } from "../until-stopped.ts";

interface TopOptions extends FolderOptions {
  readonly for?: number;
  readonly json?: true;
}

export function topCommand(system: System, open: OpenHouse): Command {
  return new Command("top")
    .description("Show plugins live: calls, processor, memory, fuel, latency, traps.")
    .addOption(folderOption())
    .addOption(forOption())
    .addOption(jsonOption("print one JSON object a second"))
    .addHelpText(
      "after",
      `
On a terminal a table that stays in place, elsewhere a line a second. Takes a program that runs the plugins.
The processor's share is estimated from one call in sixteen. Rates are of two looks, a second apart: the first line comes with the second.

Examples:
  remora top
  remora top --for 5s --json`,
    )
    .action(async (options: TopOptions) => {
      await withHouse(system, open, { ...options, use: "live" }, (house) => show(system, house, options));
    });
}

async function show(system: System, house: House, options: TopOptions): Promise<void> {
  const display = displayOf(system, options);
  try {
    await untilStopped(system, options.for, async (signal) => {
      let before: Look | undefined;
      for await (const happening of house.follow({ metrics: true, signal })) {
        if (!isLook(happening)) continue;
        // The first look has nothing to compare with: a line of zeros would be wrong.
        if (before !== undefined || display.showsFirst)
          display.show(pluginRates(before, happening), happening.atMs);
        before = happening;
      }
    });
  } finally {
    display.end();
  }
}

type Look = Extract<Happening, { kind: "metrics" }> & { readonly plugins: readonly PluginView[] };

function isLook(happening: Happening): happening is Look {
  return happening.kind === "metrics";
}

interface Display {
  readonly showsFirst: boolean;
  show(rates: readonly PluginRate[], atMs: number): void;
  end(): void;
}

function displayOf({ out }: System, { json }: TopOptions): Display {
  if (json) {
    return {
      showsFirst: false,
      show: (plugins, atMs) => out.write(`${JSON.stringify({ atMs, plugins })}\n`),
      end: () => {},
    };
  }
  if (!out.isTerminal) {
    return { showsFirst: false, show: (rates) => out.write(`${rateLine(rates)}\n`), end: () => {} };
  }
  const screen = new Screen(out);
  return {
    showsFirst: true,
    show: (rates) => screen.draw(rateTable(rates, out.columns)),
    end: () => screen.end(),
  };
}
