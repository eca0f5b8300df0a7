/** Where an update came from: the short name that values carry (`$source`), and the details behind it. */

import type { Delta, StampedDelta, Update } from "./delta.ts";

/**
 * A plugin's delta. The server alone says where a value came from and when: whatever the plugin claims is replaced by
 * its id and the time.
 */
export function stampForPlugin(delta: Delta, plugin: string, context: string, date: Date): StampedDelta {
  const timestamp = date.toISOString();
  return {
    context,
    updates: delta.updates.map(({ values, meta }) => ({
      $source: plugin,
      timestamp,
      ...(values !== undefined && { values }),
      ...(meta !== undefined && { meta }),
    })),
  };
}

/** A decoder's delta: it knows the talker and often the time; `label` names the connection. */
export function stampForInput(delta: Delta, label: string, context: string, date: Date): StampedDelta {
  return {
    context,
    updates: delta.updates.map((update) => ({
      ...update,
      $source: update.$source ?? sourceName(update, label),
      ...(update.source !== undefined && { source: { ...update.source, label } }),
      timestamp: update.timestamp ?? date.toISOString(),
    })),
  };
}

/** As the specification builds `$source`: the label, and the talker or the bus address behind it. */
function sourceName({ source }: Update, label: string): string {
  const { talker, src, type } = source ?? {};
  if (typeof talker === "string") return `${label}.${talker}`;
  if (type === "NMEA2000" && (typeof src === "string" || typeof src === "number")) return `${label}.${src}`;
  return label;
}
