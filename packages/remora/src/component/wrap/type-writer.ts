/** WIT types as definitions of a component or of an instance type (Binary.md, "Type Definitions"). */

import { invariant, unreachable } from "../../base/index.ts";
import { ByteWriter } from "../../wasm/byte-writer.ts";
import type { PrimitiveKind } from "../types.ts";
import { isResource, type Type, type TypeDef } from "../wit/model.ts";
import { writeExtern, writeName } from "./component-writer.ts";
import type { WorldFunction } from "./world-functions.ts";

/** Where types get their indices. */
export interface TypeSpace {
  type(write: (to: ByteWriter) => unknown): number;
}

type Reference = PrimitiveKind | number;

export class TypeWriter {
  readonly #space: TypeSpace;
  readonly #indexOf: (type: TypeDef) => number;
  /** By what was written: a type without a name is defined once. */
  readonly #known = new Map<string, number>();

  /** @param indexOf Of types that have a name, in this space. */
  constructor(space: TypeSpace, indexOf: (type: TypeDef) => number) {
    this.#space = space;
    this.#indexOf = indexOf;
  }

  func({ params, result }: WorldFunction): number {
    const all = params.map(({ name, type }) => ({ name, type: this.#reference(type) }));
    const given = result === undefined ? undefined : this.#reference(result);
    return this.#define((to) => {
      to.byte(0x40).vector(all, writeLabelled);
      if (given === undefined) to.byte(0x01).byte(0x00);
      else writeReference(to.byte(0x00), given);
    });
  }

  /** The definition behind a name, which is none of a resource. */
  body({ body, name }: TypeDef): number {
    invariant(body.kind !== "resource", `the resource "${name}" is defined by whoever has it`);
    switch (body.kind) {
      case "use":
        return this.#indexOf(body.target);
      case "alias":
        return this.#aliased(body.type);
      case "record": {
        const fields = body.fields.map((each) => ({ name: each.name, type: this.#reference(each.type) }));
        return this.#space.type((to) => to.byte(0x72).vector(fields, writeLabelled));
      }
      case "variant": {
        const cases = body.cases.map((each) => ({ name: each.name, type: this.#optional(each.type) }));
        return this.#space.type((to) =>
          to.byte(0x71).vector(cases, (each, one) => {
            writeOptional(each.name(one.name), one.type);
            each.byte(0x00);
          }),
        );
      }
      case "enum":
      case "flags": {
        const form = body.kind === "enum" ? 0x6d : 0x6e;
        return this.#space.type((to) =>
          to.byte(form).vector(body.labels, (each, label) => each.name(label.name)),
        );
      }
      default:
        return unreachable(body);
    }
  }

  #aliased(type: Type): number {
    if (type.kind === "named") return this.#indexOf(type.type);
    const found = this.#reference(type);
    return typeof found === "number" ? found : this.#define((to) => writeReference(to, found));
  }

  #optional(type: Type | undefined): Reference | undefined {
    return type === undefined ? undefined : this.#reference(type);
  }

  #reference(type: Type): Reference {
    switch (type.kind) {
      case "primitive":
        return type.primitive;
      case "named": {
        const index = this.#indexOf(type.type);
        // A handle that owns.
        return isResource(type.type) ? this.#define((to) => to.byte(0x69).u32(index)) : index;
      }
      case "borrow": {
        const index = this.#indexOf(type.resource);
        return this.#define((to) => to.byte(0x68).u32(index));
      }
      case "list": {
        const [element, length] = [this.#reference(type.element), type.length];
        if (length === undefined) return this.#define((to) => writeReference(to.byte(0x70), element));
        return this.#define((to) => writeReference(to.byte(0x67), element).u32(length));
      }
      case "map": {
        const [key, value] = [this.#reference(type.key), this.#reference(type.value)];
        return this.#define((to) => writeReference(writeReference(to.byte(0x63), key), value));
      }
      case "tuple": {
        const elements = type.elements.map((element) => this.#reference(element));
        return this.#define((to) => to.byte(0x6f).vector(elements, writeReference));
      }
      case "option": {
        const some = this.#reference(type.some);
        return this.#define((to) => writeReference(to.byte(0x6b), some));
      }
      case "result": {
        const [ok, err] = [this.#optional(type.ok), this.#optional(type.err)];
        return this.#define((to) => writeOptional(writeOptional(to.byte(0x6a), ok), err));
      }
      case "stream":
      case "future":
        throw new Error(`Invariant broken: a ${type.kind} was refused before`);
      default:
        return unreachable(type);
    }
  }

  #define(write: (to: ByteWriter) => unknown): number {
    const bytes = new ByteWriter(32);
    write(bytes);
    const key = bytes.finish().join();
    const known = this.#known.get(key) ?? this.#space.type((to) => to.raw(bytes.finish()));
    this.#known.set(key, known);
    return known;
  }
}

/** The type of an imported instance: a space of its own, whose types have names. */
export class InstanceTypeWriter implements TypeSpace {
  readonly #declarations: Uint8Array[] = [];
  #types = 0;

  type(write: (to: ByteWriter) => unknown): number {
    this.#declare((to) => write(to.byte(0x01)));
    return this.#types++;
  }

  /** A type of the component around it. */
  outer(index: number): number {
    this.#declare((to) => to.byte(0x02).byte(0x03).byte(0x02).u32(1).u32(index));
    return this.#types++;
  }

  /** @param equalTo Undefined for a resource, which is itself alone. */
  exportType(name: string, equalTo: number | undefined): number {
    this.#declare((to) => writeExtern(writeName(to.byte(0x04), name), { kind: "type", equalTo }));
    return this.#types++;
  }

  exportFunc(name: string, type: number): void {
    this.#declare((to) => writeExtern(writeName(to.byte(0x04), name), { kind: "func", type }));
  }

  write(to: ByteWriter): void {
    to.byte(0x42).vector(this.#declarations, (each, bytes) => each.raw(bytes));
  }

  #declare(write: (to: ByteWriter) => unknown): void {
    const declaration = new ByteWriter(32);
    write(declaration);
    this.#declarations.push(declaration.finish());
  }
}

const primitives: Readonly<Record<PrimitiveKind, number>> = {
  bool: 0x7f,
  s8: 0x7e,
  u8: 0x7d,
  s16: 0x7c,
  u16: 0x7b,
  s32: 0x7a,
  u32: 0x79,
  s64: 0x78,
  u64: 0x77,
  f32: 0x76,
  f64: 0x75,
  char: 0x74,
  string: 0x73,
  "error-context": 0x64,
};

function writeReference(to: ByteWriter, reference: Reference): ByteWriter {
  return typeof reference === "number" ? to.s32(reference) : to.byte(primitives[reference]);
}

function writeOptional(to: ByteWriter, reference: Reference | undefined): ByteWriter {
  return reference === undefined ? to.byte(0x00) : writeReference(to.byte(0x01), reference);
}

function writeLabelled(
  to: ByteWriter,
  { name, type }: { readonly name: string; readonly type: Reference },
): void {
  writeReference(to.name(name), type);
}
