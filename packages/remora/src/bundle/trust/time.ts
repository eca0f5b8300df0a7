/** Times as people and programs write them into a trust store: RFC 3339, or a day alone, which is its first moment. */

const form = /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;

/**
 * The moment that a text names.
 *
 * @param text `2026-11-21` or `2026-11-21T12:00:00Z`. A time without its offset from UTC is one of this machine.
 * @returns Milliseconds since 1970, in the years 0 to 9999; undefined for a day that no calendar has, and for all else.
 */
export function parseTime(text: string): number | undefined {
  if (!form.test(text)) return undefined;
  const day = text.slice(0, 10);
  // Date.parse takes the 31st of February for one of March.
  if (isoText(Date.parse(day))?.slice(0, 10) !== day) return undefined;
  const ms = Date.parse(text.replace(/[ t]/, "T").replace(/z$/, "Z"));
  return isoText(ms) === undefined ? undefined : ms;
}

/** Undefined for what RFC 3339 cannot write either: an offset leads out of the years with four digits. */
function isoText(ms: number): string | undefined {
  const text = Number.isNaN(ms) ? "" : new Date(ms).toISOString();
  return text.length === "0000-00-00T00:00:00.000Z".length ? text : undefined;
}
