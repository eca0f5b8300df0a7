/** All that a Signal K plugin can import from the module `env`. */

import { slowHostFunction } from "remora";
import { dataImports } from "./env-data.ts";
import { registrationImports } from "./env-registration.ts";
import { runtimeImports } from "./env-runtime.ts";
import { tcpImports } from "./env-tcp.ts";
import { udpImports } from "./env-udp.ts";
import type { GuestImports } from "./host.ts";

type HostFunction = (...args: never[]) => unknown;

/** Each is marked as slow: a guest that only calls the host would otherwise never look at the clock. */
export function envImports(imports: GuestImports): Record<string, HostFunction> {
  const all: Record<string, HostFunction> = {
    ...runtimeImports(imports),
    ...dataImports(imports),
    ...registrationImports(imports),
    ...udpImports(imports),
    ...tcpImports(imports),
  };
  for (const hostFunction of Object.values(all)) slowHostFunction(hostFunction);
  return all;
}
