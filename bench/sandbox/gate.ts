/**
 * The gate alone: a guest calls a host function in a loop, gated and not. The gated one passes with the audit on; with
 * a target it is looked up each time, as for a file's path or a request's origin.
 */

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, load } from "remora/engine";
import type { Grant } from "remora/policy";
import { type AuditSink, auditLog, Gate } from "remora/sandbox";
import { measure, rounded, type Variant } from "../measure.ts";

const guestText = `(module
  (import "env" "effect" (func $effect (param i32) (result i32)))
  (func (export "run") (param $count i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $effect (local.get $count))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum)))`;

const targets = Array.from({ length: 16 }, (_, index) => `/maps/tiles/${index}`);

export async function gateFigures(): Promise<Record<string, number>> {
  const bytes = await parse(guestText);
  const variants = await Promise.all([
    variant("ungated", bytes, effect),
    variant("guarded", bytes, guarded(auditLog())),
    variant("targeted", bytes, targeted(auditLog())),
  ]);
  const timings = measure(variants, { rounds: 15, roundMs: 10 });
  const above = (name: string) =>
    rounded((timings.get(name)?.min ?? Number.NaN) - (timings.get("ungated")?.min ?? 0), 1);
  return { gateNs: above("guarded"), gateTargetNs: above("targeted") };
}

function effect(value: number): number {
  return value & 1;
}

function guarded(audit: AuditSink): (value: number) => number {
  return gateFor(audit, { capability: "clock.read" }).guard("clock.read", effect, () => -1);
}

/** A different target each time, so that no audit line stands for its neighbour. */
function targeted(audit: AuditSink): (value: number) => number {
  const gate = gateFor(audit, { capability: "fs.read", paths: ["/maps"] });
  return (value) =>
    gate.act(
      "fs.read",
      targets[value & 15],
      () => effect(value),
      () => -1,
    );
}

function gateFor(audit: AuditSink, grant: Grant): Gate {
  return new Gate({ plugin: "bench", rules: { grants: [grant] }, audit, nowMs: Date.now });
}

async function variant(
  name: string,
  bytes: Uint8Array,
  imported: (value: number) => number,
): Promise<Variant> {
  const limits = { ...defaultLimits, fuelMax: Number.POSITIVE_INFINITY, deadlineMs: 60_000 };
  const { exports } = await load<{ run(count: number): number }>(bytes, {
    imports: { env: { effect: imported } },
    limits,
  });
  return { name, run: (count) => exports.run(count) };
}
