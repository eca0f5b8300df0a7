/** What signalk-server requires: one function that makes the plugin. Here this host is a program of its own. */

import { signalkServerPlugin } from "./node-plugin.ts";
import type { GivenApp } from "./server-app.ts";

function makePlugin({ request, debug }: GivenApp) {
  return signalkServerPlugin(request.app, { log: (line) => debug?.(line), guestClock: threadTimeMs() });
}

/** Processor time of this thread, where Node can tell it: from 23.9 on. */
function threadTimeMs(): () => number {
  if (process.threadCpuUsage === undefined) return () => performance.now();
  return () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
}

export { makePlugin as default };
