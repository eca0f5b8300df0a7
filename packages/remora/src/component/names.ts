/**
 * Names of the Component Model and what they are called in TypeScript: kebab-case labels become camelCase,
 * interfaces are matched by their compatible version.
 */

/** `get-current-time-ms` → `getCurrentTimeMs`. */
export function camelCase(label: string): string {
  return label
    .split("-")
    .map((word, index) => (index === 0 ? word.toLowerCase() : capitalised(word)))
    .join("");
}

/**
 * What a function is called. An object with a function `then` is a promise to whoever awaits it, which would call the guest
 * and wait for ever; the `prototype` of a class cannot be another. Both get an underscore, which is in no label.
 */
export function functionName(label: string): string {
  const name = camelCase(label);
  return name === "then" || name === "prototype" ? `${name}_` : name;
}

/** `filter-metadata` → `FilterMetadata`. */
export function pascalCase(label: string): string {
  return label.split("-").map(capitalised).join("");
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

/** The name of a function inside an interface, with what its annotation says. */
export type FuncName =
  | { readonly kind: "plain"; readonly label: string }
  | { readonly kind: "constructor"; readonly resource: string }
  | { readonly kind: "method" | "static"; readonly resource: string; readonly label: string };

export function parseFuncName(name: string): FuncName {
  const match = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/.exec(name);
  if (match === null) return { kind: "plain", label: name };
  const [, annotation, resource = "", label = ""] = match;
  if (annotation === "constructor") return { kind: "constructor", resource };
  return { kind: annotation === "method" ? "method" : "static", resource, label };
}

/** `omnitak:plugin/filter@0.1.0` in its parts; undefined for a plain name. */
export interface InterfaceName {
  /** `omnitak:plugin/filter` */
  readonly path: string;
  /** `filter` */
  readonly label: string;
  /** `0.1.0`, when there is one. */
  readonly version: string | undefined;
}

export function parseInterfaceName(name: string): InterfaceName | undefined {
  const slash = name.indexOf("/");
  if (slash < 0 || name.indexOf(":") < 0) return undefined;
  const at = name.indexOf("@", slash);
  const path = at < 0 ? name : name.slice(0, at);
  return {
    path,
    label: path.slice(path.lastIndexOf("/") + 1),
    version: at < 0 ? undefined : name.slice(at + 1),
  };
}

/**
 * The part of a version within which interfaces are compatible (semver.org §4 and §11): `1.2.3` gives `1`,
 * `0.2.3` gives `0.2`, `0.0.3` and every pre-release only themselves.
 */
export function compatibleVersion(version: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)(-[^+]+)?/.exec(version);
  if (match === null || match[4] !== undefined) return version;
  const [, major, minor, patch] = match;
  if (major !== "0") return major ?? version;
  return minor !== "0" ? `0.${minor}` : `0.0.${patch}`;
}

/**
 * The name among `given` that serves the import `wanted`: itself, or else the newest of the versions that are
 * compatible with it.
 */
export function compatibleName(wanted: string, given: Iterable<string>): string | undefined {
  const parsed = parseInterfaceName(wanted);
  let best: string | undefined;
  let bestVersion: string | undefined;
  for (const name of given) {
    if (name === wanted) return name;
    if (parsed?.version === undefined) continue;
    const other = parseInterfaceName(name);
    if (other?.version === undefined || other.path !== parsed.path) continue;
    if (compatibleVersion(other.version) !== compatibleVersion(parsed.version)) continue;
    if (bestVersion === undefined || compareVersions(other.version, bestVersion) > 0) {
      best = name;
      bestVersion = other.version;
    }
  }
  return best;
}

function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => version.split(/[.+-]/, 3).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
