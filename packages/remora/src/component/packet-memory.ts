/**
 * The memory that packets are written in: a small WebAssembly module with an allocator that only goes forward. So what
 * stores values in a guest stores them here as fast, its routines in WebAssembly included.
 *
 * Several writers may share one, each for the time of one packet. Behind what the last one used it is zero: nobody
 * reads what another wrote.
 */

import { invariant } from "../base/index.ts";
import { funcType, smallModule } from "./abi/small-module.ts";
import type { CoreFunction, CoreMemory, RoutineEngine } from "./core.ts";
import { componentErrors } from "./errors.ts";

/** Bytes of one packet. */
export const packetBytesMax = 96 * 1024 * 1024;

/** Address 0 stays free: some codecs take it for "nothing". */
export const packetStart = 8;

/** A memory larger than this is not kept for the next packet. */
const bytesKeptMax = 1024 * 1024;

const pageBytes = 65_536;

export class PacketMemory {
  readonly #engine: RoutineEngine;
  #parts: Parts;

  constructor(engine: RoutineEngine) {
    this.#engine = engine;
    this.#parts = makeParts(engine);
  }

  get memory(): CoreMemory {
    return this.#parts.memory;
  }

  /** As a guest's `cabi_realloc`; what it gives is zero. */
  get realloc(): CoreFunction {
    return this.#parts.realloc;
  }

  /** Bytes from the start up to where the next allocation is. */
  get used(): number {
    return this.#parts.used();
  }

  /** To be called before a packet: after a large one the memory is another one, which is small. */
  renew(): void {
    if (this.memory.buffer.byteLength > bytesKeptMax) this.#parts = makeParts(this.#engine);
  }

  /** Forgets the packet. */
  clear(): void {
    const { memory, used, rewind } = this.#parts;
    new Uint8Array(memory.buffer, 0, used()).fill(0);
    rewind();
  }

  /** Takes a packet in, in the place of the one before. */
  load(bytes: Uint8Array): void {
    this.clear();
    const { memory, realloc } = this.#parts;
    if (bytes.length > packetStart) realloc(0, 0, 1, bytes.length - packetStart);
    new Uint8Array(memory.buffer).set(bytes);
  }
}

interface Parts {
  readonly memory: CoreMemory;
  readonly realloc: CoreFunction;
  readonly used: () => number;
  readonly rewind: () => void;
}

function makeParts(engine: RoutineEngine): Parts {
  const exports = engine.instantiate(moduleBytes, { host: { refuse } });
  invariant(exports !== undefined, "any WebAssembly runs the packets' module");
  return exports as unknown as Parts; // As `moduleBytes` declares them.
}

/** The host's own values are too large for one packet. */
function refuse(sizeBytes: number): never {
  throw componentErrors["type-mismatch"]({
    path: "values",
    expected: `at most ${packetBytesMax} bytes together`,
    found: `${sizeBytes >>> 0} or more`,
  });
}

const refuseIndex = 0;

/**
 * Parameters: 0 the old pointer, 1 the old size, 2 the alignment, 3 the size. Locals: 4 the pointer, 5 its end, 6 pages.
 * No size is above 2^29, so that no sum of three of them passes 2^32.
 */
const reallocCode = `
  global.get 0
  local.get 2
  i32.add
  i32.const 1
  i32.sub
  i32.const 0
  local.get 2
  i32.sub
  i32.and
  local.tee 4
  local.get 3
  i32.add
  local.tee 5
  i32.const ${packetBytesMax}
  i32.gt_u
  if
    local.get 5
    call ${refuseIndex}
  end

  local.get 5
  memory.size 0
  i32.const 16
  i32.shl
  i32.gt_u
  if
    local.get 5
    i32.const 16
    i32.shr_u
    local.set 6
    local.get 6
    i32.const ${packetBytesMax / pageBytes}
    memory.size 0
    i32.sub
    local.get 6
    i32.const ${packetBytesMax / pageBytes}
    memory.size 0
    i32.sub
    i32.lt_u
    select
    memory.grow 0
    i32.const 0
    i32.lt_s
    if
      local.get 5
      call ${refuseIndex}
    end
  end

  local.get 5
  global.set 0
  local.get 1
  if
    local.get 4
    local.get 0
    local.get 1
    memory.copy 0 0
  end
  local.get 4`;

const moduleBytes = smallModule({
  functionImports: [["host", "refuse", funcType(["i32"])]],
  memory: { name: "memory", pagesMin: 1, pagesMax: packetBytesMax / pageBytes },
  globals: [packetStart],
  functions: [
    {
      name: "realloc",
      type: funcType(["i32", "i32", "i32", "i32"], ["i32"]),
      locals: ["i32", "i32", "i32"],
      code: reallocCode,
    },
    { name: "used", type: funcType([], ["i32"]), locals: [], code: "global.get 0" },
    {
      name: "rewind",
      type: funcType([]),
      locals: [],
      code: `i32.const ${packetStart}\nglobal.set 0`,
    },
  ],
});
