/** All that a Signal K plugin can import from the module `env`. */

import { slowHostFunction } from "remora";
import { readsGuestMemory } from "remora/engine";
import { dataImports } from "./env-data.ts";
import { eventImports } from "./env-events.ts";
import { memoryReads } from "./env-memory-reads.ts";
import { registrationImports } from "./env-registration.ts";
import { runtimeImports } from "./env-runtime.ts";
import { tcpImports } from "./env-tcp.ts";
import { udpImports } from "./env-udp.ts";
import type { EventInbox } from "./event-inbox.ts";
import type { GuestImports } from "./host.ts";

type HostFunction = (...args: never[]) => unknown;

/** Each is marked as slow: a guest that only calls the host would otherwise never look at the clock. */
export function envImports(imports: GuestImports, events: EventInbox): Record<string, HostFunction> {
  const all: Record<string, HostFunction> = {
    ...runtimeImports(imports),
    ...dataImports(imports),
    ...registrationImports(imports),
    ...eventImports(imports, events),
    ...udpImports(imports),
    ...tcpImports(imports),
  };
  for (const [name, hostFunction] of Object.entries(all)) {
    slowHostFunction(hostFunction);
    const reads = memoryReads[name];
    // Of one that does not say it, the whole memory crosses.
    if (reads !== undefined) readsGuestMemory(hostFunction, reads);
  }
  return all;
}
