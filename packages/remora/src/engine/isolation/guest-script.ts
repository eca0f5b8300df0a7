/**
 * Puts files of ours together into one script: each becomes a function that gives its exports, in an order in which
 * those that are imported come first. One script is there several times faster than a hundred modules, needs no loader
 * where it runs, and is what V8 can keep the compiled code of.
 *
 * It takes the forms of import and export that our code has, and refuses others. That no imports go round in a circle,
 * and that no export changes its value, is what makes a plain object as good as a module.
 */

/** What a file imports, with the specifier: names in braces, a namespace, or nothing. */
const imports = /^import\s+(?:(?:\{([^}]*)\}|\*\s+as\s+(\w+))\s+from\s+)?["']([^"']+)["'];?/gm;
const reexports = /^export\s+\{([^}]*)\}\s+from\s+["']([^"']+)["'];?/gm;
const lists = /^export\s+\{([^}]*)\};?/gm;
const declarations = /^export\s+((?:async\s+)?(?:function\s*\*?|class|const)\s+(\w+))/gm;

/**
 * @param entry URL of the file that the others are for; it may wait at its top level.
 * @param read  The JavaScript of the file at a URL.
 * @returns A script whose value is a function: it takes `require`, for what is Node's own, and whether to stop before
 *          the entry itself, so that V8 compiles what a start needs.
 */
export function guestScript(entry: string, read: (url: string) => string): string {
  const numbers = new Map<string, number>();
  const parts: string[] = [];
  const add = (url: string): number => {
    const known = numbers.get(url);
    if (known === -1) throw new Error(`Imports go round in a circle at ${url}`);
    if (known !== undefined) return known;
    numbers.set(url, -1);
    const body = fileBody(read(url), (specifier) =>
      specifier.startsWith(".")
        ? `m${add(new URL(specifier, url).href)}`
        : `require(${JSON.stringify(specifier)})`,
    );
    const number = parts.length;
    numbers.set(url, number);
    parts.push(
      url === entry
        ? `if (isRehearsal) return;\nreturn (async () => {${body}\n})();`
        : `const m${number} = (() => {${body}\n})();`,
    );
    return number;
  };
  add(entry);
  return `(function (require, isRehearsal) { "use strict";\n${parts.join("\n")}\n})`;
}

/** A file as the body of a function. Line breaks stay where they are. */
function fileBody(code: string, valueFrom: (specifier: string) => string): string {
  const exported: string[] = [];
  const body = code
    .replace(imports, (all, names: string | undefined, namespace: string | undefined, from: string) => {
      const value = valueFrom(from);
      const target = namespace ?? `{ ${pairs(names).map(([name, as]) => `${name}: ${as}`)} }`;
      return `const ${target} = ${value};${breaksOf(all)}`;
    })
    .replace(reexports, (all, names: string, from: string) => {
      const value = valueFrom(from);
      for (const [name, as] of pairs(names)) exported.push(`${as}: ${value}.${name}`);
      return breaksOf(all);
    })
    .replace(lists, (all, names: string) => {
      for (const [name, as] of pairs(names)) exported.push(`${as}: ${name}`);
      return breaksOf(all);
    })
    .replace(declarations, (_, declaration: string, name: string) => {
      exported.push(name);
      return declaration;
    });
  const left = /^(?:import|export)\b.*/m.exec(body);
  if (left !== null) throw new Error(`This form of import or export is not known: ${left[0]}`);
  return `${body}\nreturn { ${exported.join(", ")} };`;
}

/** `a, b as c`: each name with the one that it is given. */
function pairs(names = ""): [string, string][] {
  return names
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .map((each) => {
      const [name = "", as = name] = each.split(/\s+as\s+/);
      return [name, as];
    });
}

function breaksOf(text: string): string {
  return text.replace(/[^\n]/g, "");
}
