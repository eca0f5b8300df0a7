/** Two values of JSON, compared place by place. */

export interface Difference {
  /** Parts of the way to it, with slashes between them. */
  readonly at: string;
  /** What is not there has no value. */
  readonly theirs?: unknown;
  readonly ours?: unknown;
}

export function differencesOf(theirs: unknown, ours: unknown, at = ""): Difference[] {
  if (isBranch(theirs) && isBranch(ours) && Array.isArray(theirs) === Array.isArray(ours)) {
    const names = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
    return [...names].flatMap((name) =>
      differencesOf(theirs[name], ours[name], at === "" ? name : `${at}/${name}`),
    );
  }
  if (Object.is(theirs, ours)) return [];
  return [{ at, ...(theirs !== undefined && { theirs }), ...(ours !== undefined && { ours }) }];
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
