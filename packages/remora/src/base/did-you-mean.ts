/** Near names for error messages, by edit distance. */

/** Steps of one search. Names come from strangers, as many and as long as they like: what is found later is not worth it. */
const stepsMax = 250_000;

/**
 * The candidates nearest to a name, best first; none when nothing is near. Of very many or very long ones the first are looked
 * at, within a bounded time.
 *
 * @param name       What was written.
 * @param candidates What would be allowed.
 * @param most       How many to give back at most.
 */
export function nearNames(name: string, candidates: Iterable<string>, most = 3): string[] {
  const distanceMax = Math.max(1, Math.floor(name.length / 3));
  const near: { candidate: string; distance: number }[] = [];
  let stepsLeft = stepsMax;
  for (const candidate of candidates) {
    const isComparable = Math.abs(name.length - candidate.length) <= distanceMax;
    if (!isComparable) continue;
    stepsLeft -= name.length * candidate.length;
    if (stepsLeft < 0) break;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), distanceMax);
    if (distance <= distanceMax) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, most).map((entry) => entry.candidate);
}

/** `; did you mean "x"?`, or nothing: to be put behind a message. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const [best] = nearNames(name, candidates, 1);
  return best === undefined ? "" : `; did you mean "${best}"?`;
}

/** Levenshtein distance, given up with `distanceMax + 1` as soon as it must be larger. */
function editDistance(a: string, b: string, distanceMax: number): number {
  let above = Uint32Array.from({ length: b.length + 1 }, (_, index) => index);
  let row = new Uint32Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let rowMin = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(substitution, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      row[j] = distance;
      if (distance < rowMin) rowMin = distance;
    }
    if (rowMin > distanceMax) return distanceMax + 1;
    [above, row] = [row, above];
  }
  return above[b.length] ?? 0;
}
