/** The data section (§5.5.14). */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { DataSegment } from "../module.ts";
import { readConstExpr } from "./const-expr.ts";

const activeInFirst = 0;
const passive = 1;
const activeInNamed = 2;

export function readData(reader: ByteReader, limits: DecodeLimits): DataSegment[] {
  const count = reader.count("data segments", { max: limits.dataSegments, itemBytesMin: 2 });
  return Array.from({ length: count }, () => readSegment(reader, limits));
}

function readSegment(reader: ByteReader, limits: DecodeLimits): DataSegment {
  const offset = reader.position;
  const form = reader.u32("the form of a data segment");
  if (form > activeInNamed) {
    throw wasmErrors.malformed({
      offset,
      what: "the form of a data segment",
      found: form,
      allowed: "0 to 2",
    });
  }
  const memory = form === activeInNamed ? reader.u32("a memory index") : 0;
  const active = form === passive ? undefined : { memory, offset: readConstExpr(reader, limits) };
  const length = reader.count("bytes of data", { max: limits.moduleBytes });
  return { active, form, bytes: reader.take(length) };
}

export function writeData(writer: ByteWriter, segments: readonly DataSegment[]): void {
  writer.vector(segments, (to, { active, form, bytes }) => {
    to.u32(form);
    if (active !== undefined) {
      if (form !== activeInFirst) to.u32(active.memory);
      to.raw(active.offset.bytes);
    }
    to.sized(bytes);
  });
}
