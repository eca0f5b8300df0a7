/** What signalk-server requires: one function that makes the plugin. Here this host is a program of its own. */

import { processorClock } from "../plugin/guest-clock.ts";
import { signalkServerPlugin } from "./node-plugin.ts";
import type { GivenApp } from "./server-app.ts";

/** Processor time, where Node can tell that of a thread: from 23.9 on. */
const guestClock =
  process.threadCpuUsage === undefined
    ? () => performance.now()
    : processorClock(() => process.threadCpuUsage());

function makePlugin({ request, debug }: GivenApp) {
  return signalkServerPlugin(request.app, { log: (line) => debug?.(line), guestClock });
}

export { makePlugin as default };
