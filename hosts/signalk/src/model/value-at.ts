/** What a tree of JSON has at a place. The parts are strangers': only what the tree itself has is found. */
export function valueAt(tree: unknown, parts: readonly string[]): unknown {
  let at = tree;
  for (const part of parts) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part]; // an object with that property, as was just checked
  }
  return at;
}
