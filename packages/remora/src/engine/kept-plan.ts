/**
 * A component's plan as bytes that outlive the process. To decode, validate and plan a component costs most of a small
 * plugin's start, and gives the same for the same bytes. Core modules are kept as their places in the component.
 */

import v8 from "node:v8";
import type { Plan } from "../component/link/plan.ts";
import { type PreparedComponent, preparedFrom } from "../component/prepare.ts";

interface Kept {
  readonly plan: Plan;
  readonly coreModules: readonly Uint8Array[];
}

/** @param bytes What the component was decoded from. */
export function packPlan({ plan, coreModules }: PreparedComponent, bytes: Uint8Array): Uint8Array {
  const writer = new PlanWriter(bytes);
  writer.writeHeader();
  writer.writeValue({ plan, coreModules } satisfies Kept);
  return writer.releaseBuffer();
}

/**
 * @param packed By `packPlan`, from the same bytes: whoever reads it has made sure of both.
 * @throws what V8 throws at another version's format
 */
export function unpackPlan(packed: Uint8Array, bytes: Uint8Array): PreparedComponent {
  const reader = new PlanReader(packed, bytes);
  reader.readHeader();
  const { plan, coreModules } = reader.readValue() as Kept; // our own writing
  return preparedFrom(plan, coreModules);
}

// Two methods that Node documents for whoever derives from these classes, and that its types leave out.

class PlanWriter extends v8.Serializer {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.#bytes = bytes;
    const writer = this as unknown as { _setTreatArrayBufferViewsAsHostObjects(isSo: boolean): void };
    writer._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(module: Uint8Array): void {
    if (module.buffer !== this.#bytes.buffer) throw new TypeError("The module is not in the component");
    this.writeUint32(module.byteOffset - this.#bytes.byteOffset);
    this.writeUint32(module.byteLength);
  }
}

class PlanReader extends v8.Deserializer {
  readonly #bytes: Uint8Array;

  constructor(packed: Uint8Array, bytes: Uint8Array) {
    super(packed);
    this.#bytes = bytes;
  }

  _readHostObject(): Uint8Array {
    const at = this.readUint32();
    return this.#bytes.subarray(at, at + this.readUint32());
  }
}
