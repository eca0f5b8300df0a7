// What a plugin may ask of its host. The host decides whether it answers.

// @ts-ignore: decorator
@external("omnitak:plugin/host@0.1.0", "log")
declare function hostLog(level: i32, at: usize, length: usize): void;

// @ts-ignore: decorator
@external("omnitak:plugin/host@0.1.0", "get-current-time-ms")
declare function hostCurrentTimeMs(): u64;

// @ts-ignore: decorator
@external("omnitak:plugin/host@0.1.0", "query-elevation")
declare function hostQueryElevation(lat: f64, lon: f64, result: usize): void;

/** How much a line of the log matters. */
export enum LogLevel {
  Trace,
  Debug,
  Info,
  Warn,
  Error,
}

/** Writes a line to the host's log. */
export function log(level: LogLevel, message: string): void {
  hostLog(level, changetype<usize>(message), <usize>message.length);
}

/** The time of day, in milliseconds since 1970, UTC. */
export function currentTimeMs(): u64 {
  return hostCurrentTimeMs();
}

/** Metres of the ground above the ellipsoid; NaN where the host knows no elevation. */
export function queryElevation(lat: f64, lon: f64): f64 {
  const result = memory.data(16, 8);
  hostQueryElevation(lat, lon, result);
  return load<u8>(result) ? load<f64>(result, 8) : NaN;
}
