/**
 * The small Signal K server as a program: `node conformance/hosts/small-server.ts`, with the folder and the port in the
 * environment that signalk-server looks for, and inputs as JSON in `INPUTS`.
 */

import { join } from "node:path";
import { processorClock, runSignalk } from "@remora/signalk";

const { SIGNALK_NODE_CONFIG_DIR: folder = "", PORT = "", INPUTS = "[]" } = process.env;

await runSignalk({
  dataFolder: folder,
  modulesFolders: [join(folder, "node_modules")],
  port: Number(PORT),
  inputs: JSON.parse(INPUTS),
  log: (line) => console.error(line),
  // Other programs of the machine are not the plugins' fault.
  plugins: { guestClock: processorClock(() => process.threadCpuUsage()) },
});
// The word that signalk-server says when it listens.
console.log("signalk-server running");
