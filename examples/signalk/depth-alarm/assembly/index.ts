/** Raises an alarm when the water is shallower than you said, and takes it back when there is half a metre more. */

@external("env", "sk_publish_notification")
declare function publish(path: usize, pathLength: i32, value: usize, valueLength: i32): i32;
@external("env", "sk_set_status")
declare function setStatus(text: usize, length: i32): void;

const depthPath = "environment.depth.belowTransducer";
const depthEntry = '"path":"' + depthPath + '"';
const alarmPath = "notifications." + depthPath;
const marginMetres: f64 = 0.5;
const skips = skipsOf(depthEntry);

let minMetres: f64 = 3.0;
let isAlarmed = false;

export function plugin_name(): string {
  return "Depth alarm";
}

export function plugin_schema(): string {
  return '{"type":"object","properties":{"minMetres":{"type":"number","title":"Shallowest water, metres","default":3}}}';
}

export function plugin_start(config: usize, length: i32): i32 {
  const found = numberAfter(String.UTF8.decodeUnsafe(config, length), '"minMetres":');
  if (!isNaN(found)) minMetres = found;
  isAlarmed = false;
  status("Watching for less than " + minMetres.toString() + " m");
  return 0;
}

export function plugin_stop(): i32 {
  return 0;
}

/** Gets every delta; most are about something else. */
export function delta_handler(delta: string): void {
  const at = entryIn(delta);
  if (at < 0) return;
  const depth = numberAfter(delta.substring(at), '"value":');
  if (isNaN(depth)) return;
  if (!isAlarmed && depth < minMetres) notify(true, depth);
  else if (isAlarmed && depth >= minMetres + marginMetres) notify(false, depth);
}

function notify(isShallow: bool, depth: f64): void {
  isAlarmed = isShallow;
  const message = "Depth is " + depth.toString() + " m";
  const value =
    (isShallow
      ? '{"state":"alarm","method":["visual","sound"],"message":"'
      : '{"state":"normal","method":[],"message":"') +
    message +
    '"}';
  const path = String.UTF8.encode(alarmPath);
  const bytes = String.UTF8.encode(value);
  publish(changetype<usize>(path), path.byteLength, changetype<usize>(bytes), bytes.byteLength);
  status(message);
}

function status(text: string): void {
  const bytes = String.UTF8.encode(text);
  setStatus(changetype<usize>(bytes), bytes.byteLength);
}

/**
 * As `delta.indexOf(depthEntry)`, in a fraction of its time: it looks at the last character of where the entry could be, and goes on
 * past it when the entry does not have that one.
 */
function entryIn(delta: string): i32 {
  const end = depthEntry.length - 1;
  for (let at = 0; at + end < delta.length; ) {
    const unit = delta.charCodeAt(at + end);
    if (unit == depthEntry.charCodeAt(end) && delta.startsWith(depthEntry, at)) return at;
    at += unit < skips.length ? skips[unit] : depthEntry.length;
  }
  return -1;
}

/** By character: how far the last one of the entry is behind it, or behind all of the entry. */
function skipsOf(entry: string): StaticArray<i32> {
  const found = new StaticArray<i32>(128).fill(entry.length);
  for (let at = 0; at < entry.length - 1; at++) found[entry.charCodeAt(at)] = entry.length - 1 - at;
  return found;
}

/** The number behind a key, or NaN. */
function numberAfter(json: string, key: string): f64 {
  const at = json.indexOf(key);
  return at < 0 ? NaN : parseFloat(json.substring(at + key.length, at + key.length + 32));
}
