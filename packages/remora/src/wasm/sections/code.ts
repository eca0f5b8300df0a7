/** The code section (§5.5.13): bodies as bytes. `operators.ts` and the rewriter look inside. */

import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { wasmErrors } from "../errors.ts";
import type { DecodeLimits } from "../limits.ts";
import type { Body } from "../module.ts";

export function readCode(reader: ByteReader, limits: DecodeLimits): Body[] {
  const count = reader.count("function bodies", { max: limits.functions, itemBytesMin: 3 });
  const bodies: Body[] = [];
  for (let index = 0; index < count; index++) bodies.push(readBody(reader, limits));
  return bodies;
}

function readBody(reader: ByteReader, limits: DecodeLimits): Body {
  const at = reader.position;
  const size = reader.u32("the size of a function body");
  if (size > limits.bodyBytes) {
    throw wasmErrors.limit({
      offset: at,
      what: "bytes of a function body",
      found: size,
      max: limits.bodyBytes,
    });
  }
  const offset = reader.position;
  reader.skip(size, "a function body");
  return { within: reader.bytes, offset, size };
}

export function writeCode(writer: ByteWriter, bodies: readonly Body[]): void {
  writer.vector(bodies, (to, body) => to.sized(body.within.subarray(body.offset, body.offset + body.size)));
}
