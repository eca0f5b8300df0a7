/** Values of a test script, `(u32.const 1)` or `(record.const (field "s" str.const "x"))`, by the type they are for. */

import { camelCase, type ValueType } from "remora/component";
import { type Node, stringText } from "../core/s-expression.ts";

/** A value that a script writes, as the component layer takes and gives it. */
export function readValue(items: readonly Node[], type: ValueType): unknown {
  const [head, ...rest] = items;
  const form = head?.kind === "atom" ? head.text : "";
  switch (type.kind) {
    case "bool":
      return text(rest[0]) === "true";
    case "s64":
    case "u64":
      return integer(text(rest[0]));
    case "f32":
    case "f64":
      return float(text(rest[0]));
    case "char":
    case "string":
      return text(rest[0]);
    case "list":
      return rest.map((item) => readValue(children(item), type.element));
    case "map":
      return new Map(
        rest.map((item) => {
          const [key, value] = children(item).slice(1);
          return [readValue(children(key), type.key), readValue(children(value), type.value)];
        }),
      );
    case "tuple":
      return rest.map((item, index) => readValue(children(item), type.elements[index] as ValueType));
    case "record": {
      const record: Record<string, unknown> = {};
      for (const item of rest) {
        const [, name, ...value] = children(item);
        const field = type.fields.find((one) => one.name === text(name));
        if (field !== undefined) record[camelCase(field.name)] = readValue(unwrap(value), field.type);
      }
      return record;
    }
    case "flags": {
      const set = new Set(rest.map(text));
      return Object.fromEntries(type.names.map((name) => [camelCase(name), set.has(name)]));
    }
    case "enum":
      return text(rest[0]);
    case "variant": {
      const tag = text(rest[0]);
      const payload = type.cases.find((one) => one.name === tag)?.type;
      return payload === undefined ? { tag } : { tag, val: readValue(children(rest[1]), payload) };
    }
    case "option": {
      const some = form === "option.some" ? readValue(children(rest[0]), type.some) : undefined;
      if (type.some.kind !== "option") return some;
      return form === "option.some" ? { tag: "some", val: some } : { tag: "none" };
    }
    case "result": {
      const tag = form === "result.ok" ? "ok" : "err";
      const payload = type[tag];
      return { tag, val: payload === undefined ? undefined : readValue(children(rest[0]), payload) };
    }
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return Number(integer(text(rest[0])));
    default:
      throw new Error(`no way to write a ${type.kind}`);
  }
}

/** The field's value stands without parentheses, or with them. */
function unwrap(items: readonly Node[]): readonly Node[] {
  return items.length === 1 && items[0]?.kind === "list" ? items[0].items : items;
}

function children(node: Node | undefined): readonly Node[] {
  return node?.kind === "list" ? node.items : [];
}

function text(node: Node | undefined): string {
  if (node?.kind === "string") return stringText(node.text);
  return node?.kind === "atom" ? node.text : "";
}

function integer(literal: string): bigint {
  const plain = literal.replaceAll("_", "");
  return plain.startsWith("-") ? -BigInt(plain.slice(1)) : BigInt(plain.replace(/^\+/, ""));
}

/** `1.5`, `0x1.8p+1`, `inf`, `nan`, `nan:canonical`. */
function float(literal: string): number {
  const plain = literal.replaceAll("_", "");
  const sign = plain.startsWith("-") ? -1 : 1;
  const body = plain.replace(/^[+-]/, "");
  if (body.startsWith("nan")) return Number.NaN;
  if (body === "inf") return sign * Number.POSITIVE_INFINITY;
  const hex = /^0x([0-9a-f]+)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i.exec(body);
  if (hex === null) return sign * Number(body);
  const [, whole = "", fraction = "", exponent = "0"] = hex;
  return sign * Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}
