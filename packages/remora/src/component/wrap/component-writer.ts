/**
 * Writes a component, definition by definition (Binary.md, "Component Definitions"). Each definition gets the next index
 * of its space, which is what later ones refer to it by.
 */

import { ByteWriter } from "../../wasm/byte-writer.ts";
import type { StringEncoding } from "../model.ts";

type Write = (to: ByteWriter) => unknown;

type Space =
  | "core module"
  | "core instance"
  | "core func"
  | "core memory"
  | "core table"
  | "component"
  | "instance"
  | "type"
  | "func";

/** What an alias or an export can be about: its space, and its sort in the binary. */
const sorts = { func: 0x01, type: 0x03, instance: 0x05 } as const;
const coreSorts = { func: 0x00, table: 0x01, memory: 0x02 } as const;

export type Sort = keyof typeof sorts;
export type CoreSort = keyof typeof coreSorts;

export interface Item {
  readonly name: string;
  readonly sort: Sort;
  readonly index: number;
}

export interface CoreItem {
  readonly name: string;
  readonly sort: CoreSort;
  readonly index: number;
}

/** What an import or an export is said to be. */
export type Extern =
  | { readonly kind: "func" | "instance"; readonly type: number }
  | { readonly kind: "type"; readonly equalTo: number | undefined };

export interface CanonOptions {
  readonly encoding: StringEncoding;
  readonly memory: number | undefined;
  readonly realloc: number | undefined;
  readonly postReturn?: number | undefined;
}

const sections = {
  coreModule: 1,
  coreInstance: 2,
  component: 4,
  instance: 5,
  alias: 6,
  type: 7,
  canon: 8,
  import: 10,
  export: 11,
} as const;

/** Sections that have one definition and no count before it. */
const single: ReadonlySet<number> = new Set([sections.coreModule, sections.component]);

const header = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);
const encodings: readonly StringEncoding[] = ["utf8", "utf16", "latin1+utf16"];

export class ComponentWriter {
  readonly #bytes = new ByteWriter().raw(header);
  readonly #counts = new Map<Space, number>();
  /** Definitions of one kind in a row are one section. */
  #open: { readonly id: number; readonly content: ByteWriter; count: number } | undefined;

  coreModule(bytes: Uint8Array): number {
    return this.#add(sections.coreModule, "core module", (to) => to.raw(bytes));
  }

  /** @param args Core instances, by the name of the module that they are imported as. */
  coreInstance(module: number, args: ReadonlyMap<string, number>): number {
    return this.#add(sections.coreInstance, "core instance", (to) =>
      to
        .byte(0x00)
        .u32(module)
        .vector([...args], (each, [name, index]) => each.name(name).byte(0x12).u32(index)),
    );
  }

  coreExports(items: readonly CoreItem[]): number {
    return this.#add(sections.coreInstance, "core instance", (to) =>
      to
        .byte(0x01)
        .vector(items, (each, { name, sort, index }) => each.name(name).byte(coreSorts[sort]).u32(index)),
    );
  }

  coreAlias(sort: CoreSort, instance: number, name: string): number {
    return this.#add(sections.alias, `core ${sort}`, (to) =>
      to.byte(0x00).byte(coreSorts[sort]).byte(0x01).u32(instance).name(name),
    );
  }

  component(bytes: Uint8Array): number {
    return this.#add(sections.component, "component", (to) => to.raw(bytes));
  }

  instance(component: number, args: readonly Item[]): number {
    return this.#add(sections.instance, "instance", (to) =>
      to
        .byte(0x00)
        .u32(component)
        .vector(args, (each, arg) => writeItem(each.name(arg.name), arg)),
    );
  }

  alias(sort: Sort, instance: number, name: string): number {
    return this.#add(sections.alias, sort, (to) => to.byte(sorts[sort]).byte(0x00).u32(instance).name(name));
  }

  type(write: Write): number {
    return this.#add(sections.type, "type", write);
  }

  import(name: string, extern: Extern): number {
    return this.#add(sections.import, extern.kind, (to) => writeExtern(writeName(to, name), extern));
  }

  export(item: Item, ascribed?: Extern): number {
    return this.#add(sections.export, item.sort, (to) => {
      writeItem(writeName(to, item.name), item);
      if (ascribed === undefined) to.byte(0x00);
      else writeExtern(to.byte(0x01), ascribed);
    });
  }

  lift(func: number, type: number, options: CanonOptions): number {
    return this.#add(sections.canon, "func", (to) =>
      writeOptions(to.byte(0x00).byte(0x00).u32(func), options).u32(type),
    );
  }

  lower(func: number, options: CanonOptions): number {
    return this.#add(sections.canon, "core func", (to) =>
      writeOptions(to.byte(0x01).byte(0x00).u32(func), options),
    );
  }

  resourceFunction(what: "new" | "drop" | "rep", type: number): number {
    const form = { new: 0x02, drop: 0x03, rep: 0x04 }[what];
    return this.#add(sections.canon, "core func", (to) => to.byte(form).u32(type));
  }

  finish(): Uint8Array {
    this.#close();
    return this.#bytes.finish();
  }

  #add(id: number, space: Space, write: Write): number {
    if (this.#open?.id !== id || single.has(id)) {
      this.#close();
      this.#open = { id, content: new ByteWriter(), count: 0 };
    }
    this.#open.count++;
    write(this.#open.content);
    const index = this.#counts.get(space) ?? 0;
    this.#counts.set(space, index + 1);
    return index;
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { id, content, count } = this.#open;
    this.#open = undefined;
    const items = content.finish();
    this.#bytes.byte(id);
    if (single.has(id)) this.#bytes.sized(items);
    else this.#bytes.sized(new ByteWriter(items.length + 5).u32(count).raw(items).finish());
  }
}

/** Names of imports and exports have a form before them, which is nothing but a name here. */
export function writeName(to: ByteWriter, name: string): ByteWriter {
  return to.byte(0x00).name(name);
}

export function writeExtern(to: ByteWriter, extern: Extern): ByteWriter {
  if (extern.kind !== "type") return to.byte(sorts[extern.kind]).u32(extern.type);
  to.byte(sorts.type);
  return extern.equalTo === undefined ? to.byte(0x01) : to.byte(0x00).u32(extern.equalTo);
}

function writeItem(to: ByteWriter, { sort, index }: Item): ByteWriter {
  return to.byte(sorts[sort]).u32(index);
}

function writeOptions(to: ByteWriter, { encoding, memory, realloc, postReturn }: CanonOptions): ByteWriter {
  const options: [form: number, index?: number][] = [[encodings.indexOf(encoding)]];
  if (memory !== undefined) options.push([0x03, memory]);
  if (realloc !== undefined) options.push([0x04, realloc]);
  if (postReturn !== undefined) options.push([0x05, postReturn]);
  return to.vector(options, (each, [form, index]) => {
    each.byte(form);
    if (index !== undefined) each.u32(index);
  });
}
