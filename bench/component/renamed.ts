/** The first section of a component that has a core module first (Component Model, Binary.md: "component definitions"). */
const coreModuleAt = 8;
const coreModuleSection = 1;

/**
 * The same program under another digest: with a custom section at the end of its core module, since V8 knows the bytes of
 * a module again, and what it has compiled of them.
 */
export function renamed(component: Uint8Array, name: string): Uint8Array {
  if (component[coreModuleAt] !== coreModuleSection)
    throw new Error("The component begins with something else");
  const [size, moduleAt] = readSize(component, coreModuleAt + 1);
  const moduleEnd = moduleAt + size;
  // Below 128, so that each length is one byte.
  const label = new TextEncoder().encode(name);
  const custom = [0, label.length + 1, label.length, ...label];
  // Not by spreading, which takes a millisecond for 60 KB: it stands in what is measured.
  const parts = [
    component.subarray(0, coreModuleAt + 1),
    Uint8Array.from(sizeBytes(size + custom.length)),
    component.subarray(moduleAt, moduleEnd),
    Uint8Array.from(custom),
    component.subarray(moduleEnd),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

/** An unsigned LEB128 at an offset, and the offset behind it. */
function readSize(bytes: Uint8Array, at: number): [size: number, end: number] {
  let size = 0;
  for (let index = 0; ; index++) {
    const byte = bytes[at + index] ?? 0;
    size += (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return [size, at + index + 1];
  }
}

function sizeBytes(size: number): number[] {
  return size < 0x80 ? [size] : [(size & 0x7f) | 0x80, ...sizeBytes(size >>> 7)];
}
