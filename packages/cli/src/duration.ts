/** Durations as people write them: `500ms`, `5s`, `1.5m`, `2h`. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Timers of Node count in 31 bits of milliseconds. */
const DURATION_MS_MAX = 2 ** 31 - 1;

/** Milliseconds, or undefined when it is no duration above zero and up to some 24 days. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,10}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined) return undefined;
  const durationMs = Number(match[1]) * unit;
  return durationMs > 0 && durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}
