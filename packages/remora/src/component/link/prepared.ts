/** What is made of a plan once, and used by every instance: signatures by type, and who is around whom. */

import type { AddressType } from "../abi/address.ts";
import { Codecs } from "../abi/codec.ts";
import { type Signature, signatureOf } from "../abi/signature.ts";
import type { FuncType } from "../types.ts";
import type { Plan } from "./plan.ts";

/** What is made for memories of one kind of address. */
export interface Side {
  readonly codecs: SideCodecs;
  /** Towards the host; made when first asked for, and kept. */
  readonly hostSignature: (type: FuncType) => Signature;
  /** Towards another guest. */
  readonly rawSignature: (type: FuncType) => Signature;
}

export interface SideCodecs {
  readonly host: Codecs;
  readonly raw: Codecs;
}

/** A plan with what is made of it once for all instances. */
export interface Prepared {
  readonly plan: Plan;
  /** By the address type of the guest's memory. */
  readonly sides: Readonly<Record<AddressType, Side>>;
  /** For each component instance: itself and all around it. */
  readonly chains: readonly (readonly number[])[];
}

export function preparePlan(plan: Plan): Prepared {
  return { plan, sides: { i32: sideOf("i32"), i64: sideOf("i64") }, chains: chainsOf(plan) };
}

function sideOf(address: AddressType): Side {
  const codecs = { host: new Codecs("host", address), raw: new Codecs("raw", address) };
  return { codecs, hostSignature: signaturesOf(codecs.host), rawSignature: signaturesOf(codecs.raw) };
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
