/** Resources of the host on the guest's side: a number, which means something to the host alone. */

import type { ResourceHost } from "../../../component/abi/context.ts";

export class HostResource {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** What packets need of resources here. Those that guests implement do not cross: the host refused them at load. */
export const handlesOfHost: ResourceHost = {
  wrap: (_, number) => new HostResource(number),
  unwrap: (_, value) => numberOf(value),
  take: (_, value) => numberOf(value),
  accepts: (_, value) => value instanceof HostResource,
};

function numberOf(value: unknown): number | undefined {
  return value instanceof HostResource ? value.number : undefined;
}
