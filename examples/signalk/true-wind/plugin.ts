/** Derives the true wind: what the apparent wind is without the boat's own speed through the water. */

import { emit } from "remora:signalk/deltas@0.1.0";
import { setStatus } from "remora:signalk/status@0.1.0";
import { subscribe } from "remora:signalk/subscriptions@0.1.0";
import type { Lifecycle, Subscriber } from "./subscribing-plugin.d.ts";

const speedApparent = "environment.wind.speedApparent";
const angleApparent = "environment.wind.angleApparent";
const speedThroughWater = "navigation.speedThroughWater";

/** The last value of each path that was told. */
const known = new Map<string, number>();

export const lifecycle: Lifecycle = {
  name: () => "True wind",
  schema: () =>
    JSON.stringify({
      type: "object",
      properties: {
        minPeriod: { type: "number", title: "Smallest time between two values, milliseconds", default: 0 },
      },
    }),
  start(settings) {
    const { minPeriod = 0 } = JSON.parse(settings);
    if (!(minPeriod >= 0)) throw "minPeriod is not a time";
    for (const path of [speedApparent, angleApparent, speedThroughWater]) {
      subscribe({ context: "vessels.self", path, policy: "instant", period: 1_000, minPeriod });
    }
    setStatus("Waiting for wind and log");
  },
  stop() {
    known.clear();
  },
};

export const subscriber: Subscriber = {
  onUpdates(updates) {
    for (const { values } of updates) {
      for (const { path, value } of values) {
        if (value.tag === "number") known.set(path, value.val);
        // Null: the instrument no longer knows.
        else known.delete(path);
      }
    }
    derive();
  },
};

function derive(): void {
  const speed = known.get(speedApparent);
  const angle = known.get(angleApparent);
  const log = known.get(speedThroughWater);
  if (speed === undefined || angle === undefined || log === undefined) return;
  const ahead = speed * Math.cos(angle) - log;
  const abeam = speed * Math.sin(angle);
  const number = (val: number) => ({ tag: "number" as const, val });
  emit(
    "vessels.self",
    [
      { path: "environment.wind.speedTrue", value: number(Math.hypot(ahead, abeam)) },
      { path: "environment.wind.angleTrueWater", value: number(Math.atan2(abeam, ahead)) },
    ],
    "v1",
  );
  setStatus("Deriving the true wind");
}
