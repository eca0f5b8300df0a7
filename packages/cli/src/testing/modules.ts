/** Small core modules and components, written byte by byte, so that a test shows what it inspects. */

export const emptyModule = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

export interface ModuleShape {
  /** Functions of one i32, as module and name. */
  readonly imports?: readonly (readonly [module: string, name: string])[];
  /** Pages, minimum and maximum. */
  readonly memory?: readonly [min: number, max: number | undefined];
  /** Names under which the one function, which does nothing, is exported. */
  readonly exports?: readonly string[];
}

/** A module of this shape. Counts and lengths stay below 128, where a LEB128 is the byte itself. */
export function moduleWith({ imports = [], memory, exports = [] }: ModuleShape): Uint8Array {
  const types = section(1, [[0x60, 1, 0x7f, 0]]);
  const imported = section(
    2,
    imports.map(([module, name]) => [...text(module), ...text(name), 0x00, 0]),
  );
  const functions = section(3, [[0]]);
  const memories =
    memory === undefined
      ? []
      : section(5, [memory[1] === undefined ? [0, memory[0]] : [1, memory[0], memory[1]]]);
  const exported = section(
    7,
    exports.map((name) => [...text(name), 0x00, imports.length]),
  );
  const code = section(10, [[2, 0, 0x0b]]);
  return Uint8Array.of(
    ...emptyModule,
    ...types,
    ...imported,
    ...functions,
    ...memories,
    ...exported,
    ...code,
  );
}

/** A component that exports instances with nothing in them, by these names (component-model, Binary.md). */
export function componentWith(exports: readonly string[]): Uint8Array {
  const preamble = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
  const instances = section(
    5,
    exports.map(() => [0x01, 0]),
  );
  const exported = section(
    11,
    exports.map((name, at) => [0x00, ...text(name), 0x05, at, 0x00]),
  );
  return Uint8Array.of(...preamble, ...instances, ...exported);
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  if (items.length === 0) return [];
  const content = [items.length, ...items.flat()];
  return [id, content.length, ...content];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [bytes.length, ...bytes];
}
