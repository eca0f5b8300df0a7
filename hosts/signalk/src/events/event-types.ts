/**
 * Events that pass through a server beside deltas: sentences as instruments say them, what goes out to a bus, how the server
 * is. Which of them plugins may hear is a list, and their own have a prefix, so that none speaks in the server's name.
 */

export interface ServerEvent {
  readonly type: string;
  readonly data: unknown;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** The plugin that emitted it, of those with the prefix. */
  readonly from?: string;
}

/** Of the server itself: it alone emits them. */
export const serverEventTypes: readonly string[] = [
  ...[
    "SERVERSTATISTICS",
    "VESSEL_INFO",
    "DEBUG_SETTINGS",
    "SERVERMESSAGE",
    "PROVIDERSTATUS",
    "SOURCEPRIORITIES",
  ],
];

/** Between instruments, plugins and connections. */
export const busEventTypes: readonly string[] = [
  ...["nmea0183", "nmea0183out", "nmea2000JsonOut", "nmea2000out", "nmea2000OutAvailable"],
  ...["canboatjs:error", "canboatjs:warning", "canboatjs:unparsed:data"],
];

const pluginPrefix = "PLUGIN_";
const pluginTypePattern = /^PLUGIN_[\w.:-]{1,64}$/;

export function isBusEvent(type: string): boolean {
  return busEventTypes.includes(type);
}

export function isServerEvent(type: string): boolean {
  return serverEventTypes.includes(type);
}

/** What a plugin emits: those between instruments are from nobody. */
export function eventOf(
  { plugin, type, data }: { readonly plugin: string; readonly type: string; readonly data: unknown },
  timestamp: number,
): ServerEvent {
  return isBusEvent(type) ? { type, data, timestamp } : { type, data, timestamp, from: plugin };
}

/** Whether a plugin may hear of it at all. */
export function isEventType(type: string): boolean {
  return isBusEvent(type) || isServerEvent(type) || pluginTypePattern.test(type);
}

/** What a plugin emits under a name; undefined for none that there can be. */
export function emittedType(name: string): string | undefined {
  if (isBusEvent(name)) return name;
  const type = name.startsWith(pluginPrefix) ? name : pluginPrefix + name;
  return pluginTypePattern.test(type) ? type : undefined;
}
