#!/usr/bin/env node
/** The program `remora`. */

import { type Hosts, runProgram } from "./program.ts";
import { realSystem } from "./system.ts";

// Loaded when they are started: a look into a file need not wait for them.
const hosts: Hosts = {
  startTak: async (options) => (await import("./hosts.ts")).startTak(options),
  startDemo: async (options) => (await import("./hosts.ts")).startDemo(options),
};

process.exitCode = await runProgram(process.argv.slice(2), realSystem(), hosts);
