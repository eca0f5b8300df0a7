/** What signalk-server requires: one function that makes the plugin. */

import { signalkServerPlugin } from "./node-plugin.ts";
import type { GivenApp } from "./server-app.ts";

function makePlugin({ request, debug }: GivenApp) {
  return signalkServerPlugin(request.app, (line) => debug?.(line));
}

export { makePlugin as default };
