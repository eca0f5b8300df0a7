#!/usr/bin/env node
/** The program `remora`. */

import { enableCompileCache } from "node:module";
import type { Hosts } from "./program.ts";

// Before all that is worth keeping: a command is short, and most of it would be reading the same code again.
enableCompileCache();
const [{ runProgram }, { realSystem }] = await Promise.all([import("./program.ts"), import("./system.ts")]);

// Loaded when they are started: a look into a file need not wait for them.
const hosts: Hosts = {
  openHouse: async (options) => (await import("./open-house.ts")).openHouse(options),
  serve: async (options) => (await import("./open-house.ts")).serve(options),
  startTak: async (options) => (await import("./hosts.ts")).startTak(options),
  startDemo: async (options) => (await import("./hosts.ts")).startDemo(options),
};

process.exitCode = await runProgram(process.argv.slice(2), realSystem(), hosts);
