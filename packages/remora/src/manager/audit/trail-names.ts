/** What the files of an audit trail are called. Their order is that of their numbers. */

export const headName = "head";

/** `audit-000001.jsonl` */
export function trailName(number: number): string {
  return `audit-${String(number).padStart(6, "0")}.jsonl`;
}

/** Those of the names that belong to a trail, oldest first. */
export function trailNames(names: readonly string[]): string[] {
  return names.filter((name) => /^audit-\d{6,}\.jsonl$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
}

export function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}
