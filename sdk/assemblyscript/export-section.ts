/** The export section of a core module: its names, and the same module with other names. */

const MAGIC_SIZE = 8;
const EXPORT_SECTION = 7;

interface Export {
  readonly name: string;
  /** Kind and index, as they stand behind the name. */
  readonly rest: Uint8Array;
}

/** The names that a module exports, in its order. */
export function exportNames(module: Uint8Array): string[] {
  return readExports(findSection(module).body).map((entry) => entry.name);
}

/** The module with each export called what `names` says; others stay. */
export function renameExports(module: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  const { body, start, end } = findSection(module);
  const entries = readExports(body);
  const renamed: number[] = [...leb(entries.length)];
  for (const entry of entries) {
    const name = new TextEncoder().encode(names.get(entry.name) ?? entry.name);
    renamed.push(...leb(name.length), ...name, ...entry.rest);
  }
  const section = [EXPORT_SECTION, ...leb(renamed.length), ...renamed];
  const result = new Uint8Array(start + section.length + (module.length - end));
  result.set(module.subarray(0, start));
  result.set(section, start);
  result.set(module.subarray(end), start + section.length);
  return result;
}

function findSection(module: Uint8Array): { body: Uint8Array; start: number; end: number } {
  let at = MAGIC_SIZE;
  while (at < module.length) {
    const start = at;
    const id = module[at];
    const [size, bodyAt] = readLeb(module, at + 1);
    const end = bodyAt + size;
    if (id === EXPORT_SECTION) return { body: module.subarray(bodyAt, end), start, end };
    at = end;
  }
  throw new Error("Cannot read the module: it exports nothing");
}

function readExports(body: Uint8Array): Export[] {
  const entries: Export[] = [];
  let [count, at] = readLeb(body, 0);
  for (; count > 0; count--) {
    const [length, nameAt] = readLeb(body, at);
    const restAt = nameAt + length;
    const [, end] = readLeb(body, restAt + 1);
    const name = new TextDecoder().decode(body.subarray(nameAt, restAt));
    entries.push({ name, rest: body.subarray(restAt, end) });
    at = end;
  }
  return entries;
}

function readLeb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
