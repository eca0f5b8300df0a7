/** What is made of a plan once, and used by every instance: signatures by type, and who is around whom. */

import { type Signature, signatureOf } from "../abi/call-guest.ts";
import { Codecs } from "../abi/codec.ts";
import type { FuncType } from "../types.ts";
import type { Plan } from "./plan.ts";
import type { Prepared } from "./runtime.ts";

export function preparePlan(plan: Plan): Prepared {
  const codecs = { host: new Codecs("host"), raw: new Codecs("raw") };
  return {
    plan,
    codecs,
    hostSignature: signaturesOf(codecs.host),
    rawSignature: signaturesOf(codecs.raw),
    chains: chainsOf(plan),
  };
}

/** One signature for each function type, however many functions have it. */
function signaturesOf(codecs: Codecs): (type: FuncType) => Signature {
  const signatures = new Map<FuncType, Signature>();
  return (type) => {
    let signature = signatures.get(type);
    if (signature === undefined) {
      signature = signatureOf(type, codecs);
      signatures.set(type, signature);
    }
    return signature;
  };
}

/** For each component instance: itself and all around it. */
function chainsOf(plan: Plan): number[][] {
  const chains: number[][] = [];
  for (const { index, parent } of plan.states) {
    chains.push(parent === undefined ? [index] : [index, ...(chains[parent] ?? [])]);
  }
  return chains;
}
