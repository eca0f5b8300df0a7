/**
 * `wasi:random`. All three interfaces read the one source: "insecure" need not be worse. The interfaces have no
 * error, so that asking for too much ends the instance.
 */

import type { Machine } from "../machine/machine.ts";

export function random(machine: Machine) {
  const { bytes, u64 } = gatedRandom(machine);
  return { getRandomBytes: bytes, getRandomU64: u64 };
}

export function insecureRandom(machine: Machine) {
  const { bytes, u64 } = gatedRandom(machine);
  return { getInsecureRandomBytes: bytes, getInsecureRandomU64: u64 };
}

export function insecureSeed(machine: Machine) {
  const { u64 } = gatedRandom(machine);
  return { insecureSeed: (): [bigint, bigint] => [u64(), u64()] };
}

function gatedRandom(machine: Machine) {
  const { gate } = machine.shared;
  const draw = (length: number): Uint8Array => {
    if (!machine.random.spend(length)) {
      const isOneRequest = length > machine.shared.limits.randomBytesPerRequestMax;
      machine.exceeded(isOneRequest ? "randomBytesPerRequestMax" : "randomBytesPerCallMax");
    }
    const bytes = new Uint8Array(length);
    machine.random.fill(bytes);
    return bytes;
  };
  const refuse = () => machine.denied("random.read");
  return {
    bytes: gate.guard("random.read", (length: bigint) => draw(Number(length)), refuse),
    u64: gate.guard("random.read", () => new DataView(draw(8).buffer).getBigUint64(0, true), refuse),
  };
}
