/**
 * Names of imports and exports (Explainer.md, "Import and Export Definitions"): their grammar, and that no two
 * in one scope could be taken for one another.
 */

export type ExternName =
  | { readonly kind: "label"; readonly label: string }
  | { readonly kind: "constructor"; readonly resource: string }
  | { readonly kind: "method" | "static"; readonly resource: string; readonly label: string }
  | { readonly kind: "interface" };

const label = /^(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$/;
const words = "[a-z][0-9a-z]*(?:-[0-9a-z]+)*";
const projection = "(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*";
// Nested namespaces and projections are gated by the specification.
const interfaceName = new RegExp(`^${words}:${words}/${projection}(?:@(.*))?$`, "s");
const number = "(?:0|[1-9][0-9]*)";
const preRelease = `(?:${number}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
/** semver.org, the grammar of a valid version. */
const semver = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-${preRelease}(?:\\.${preRelease})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);
const canonicalVersion = /^(?:[1-9][0-9]*|0\.[1-9][0-9]*|0\.0\.[1-9][0-9]*|0\.0\.0)$/;

export function isLabel(name: string): boolean {
  return label.test(name);
}

export function isValidVersion(version: string): boolean {
  return semver.test(version);
}

export function isCanonicalVersion(version: string): boolean {
  return canonicalVersion.test(version);
}

/** The version of an interface name, or undefined. */
export function versionOf(name: string): string | undefined {
  return interfaceName.exec(name)?.[1];
}

/** Whether it is an interface name, whatever else. */
export function isInterfaceName(name: string): boolean {
  const match = interfaceName.exec(name);
  return (
    match !== null && (match[1] === undefined || isValidVersion(match[1]) || isCanonicalVersion(match[1]))
  );
}

/** A name in its parts, or undefined when it follows none of the grammars. */
export function parseExternName(name: string): ExternName | undefined {
  if (name.startsWith("[")) return parseAnnotated(name);
  if (name.includes(":")) return isInterfaceName(name) ? { kind: "interface" } : undefined;
  return isLabel(name) ? { kind: "label", label: name } : undefined;
}

function parseAnnotated(name: string): ExternName | undefined {
  const match = /^\[(constructor|method|static)\](.*)$/s.exec(name);
  if (match === null) return undefined;
  const [, annotation, rest = ""] = match;
  if (annotation === "constructor")
    return isLabel(rest) ? { kind: "constructor", resource: rest } : undefined;
  const dot = rest.indexOf(".");
  const [resource, field] = [rest.slice(0, dot), rest.slice(dot + 1)];
  if (dot < 0 || !isLabel(resource) || !isLabel(field)) return undefined;
  return { kind: annotation === "method" ? "method" : "static", resource, label: field };
}

/** Equal for names that are not strongly unique (Explainer.md, "Name Uniqueness"). */
export function uniquenessKey(name: string): string {
  const lower = name.toLowerCase();
  const member = /^\[(?:method|static)\]([^.]+)\.(.+)$/s.exec(lower);
  if (member !== null && member[1] === member[2]) return member[1] ?? lower;
  return lower.startsWith("[constructor]") ? lower : lower.replace(/^\[[^\]]*\]/, "");
}
