/** Shows the depth below the transducer as its status. Change it to what your plugin is for. */

import { setStatus } from "remora:signalk/status@0.1.0";
import { subscribe } from "remora:signalk/subscriptions@0.1.0";
import type { Lifecycle, Subscriber } from "./world.d.ts";

const depthPath = "environment.depth.belowTransducer";

export const lifecycle: Lifecycle = {
  name: () => "my-plugin",
  // What an operator may set, as JSON Schema; the settings come to `start` as JSON.
  schema: () => JSON.stringify({ type: "object", properties: {} }),
  start() {
    subscribe({ context: "vessels.self", path: depthPath, policy: "instant", period: 1_000, minPeriod: 0 });
    setStatus("Waiting for a depth");
  },
  stop() {},
};

export const subscriber: Subscriber = {
  onUpdates(updates) {
    for (const { values } of updates) {
      for (const { path, value } of values) {
        if (path === depthPath && value.tag === "number") setStatus(`Depth is ${value.val} m`);
      }
    }
  },
};
