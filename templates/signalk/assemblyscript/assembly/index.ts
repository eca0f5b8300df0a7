/** Shows the depth below the transducer as its status. Change it to what your plugin is for. */

@external("env", "sk_set_status")
declare function setStatus(text: usize, length: i32): void;

const depthPath = "environment.depth.belowTransducer";

export function plugin_name(): string {
  return "my-plugin";
}

/** What an operator may set, as JSON Schema; the settings come to `plugin_start` as JSON in UTF-8. */
export function plugin_schema(): string {
  return '{"type":"object","properties":{}}';
}

/** 0 when it has started. */
export function plugin_start(settings: usize, length: i32): i32 {
  status("Waiting for a depth");
  return 0;
}

export function plugin_stop(): i32 {
  return 0;
}

/** Gets every delta, as JSON; most are about something else. */
export function delta_handler(delta: string): void {
  const at = delta.indexOf('"path":"' + depthPath + '"');
  if (at < 0) return;
  const depth = numberAfter(delta.substring(at), '"value":');
  if (!isNaN(depth)) status("Depth is " + depth.toString() + " m");
}

/** The number behind a key, or NaN. */
function numberAfter(json: string, key: string): f64 {
  const at = json.indexOf(key);
  return at < 0 ? NaN : parseFloat(json.substring(at + key.length, at + key.length + 32));
}

function status(text: string): void {
  const bytes = String.UTF8.encode(text);
  setStatus(changetype<usize>(bytes), bytes.byteLength);
}
