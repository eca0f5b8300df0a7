/** Numbers as people read them, in at most seven characters or so. */

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1,234,567` */
export function showCount(count: number): string {
  return grouped.format(count);
}

/** `412 ns`, `1.2 µs`, `34 ms`: two or three digits that mean something. */
export function showNanoseconds(ns: number): string {
  if (!Number.isFinite(ns)) return "–";
  const steps = [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
  ] as const;
  for (const [size, unit] of steps) {
    // Rounded first, so that 999.6 µs reads as 1.0 ms and not as 1000 µs.
    if (Math.round(ns) >= size) return `${digits(ns / size)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

/** `640 B`, `12.3 kB`, `1.4 MB`; units of 1000. */
export function showBytes(bytes: number): string {
  if (bytes >= 1e6) return `${digits(bytes / 1e6)} MB`;
  if (bytes >= 1e3) return `${digits(bytes / 1e3)} kB`;
  return `${bytes} B`;
}

function digits(value: number): string {
  return value < 9.95 ? value.toFixed(1) : String(Math.round(value));
}
