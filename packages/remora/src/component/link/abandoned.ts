/**
 * Resources of the host's that a guest owned when it went. The specification has no word for the end of an instance; a
 * file or a connection behind a resource would stay open for as long as the host runs.
 */

import type { HandleTable } from "../abi/handles.ts";
import type { HostResource } from "./host-imports.ts";

/** Disposes of what is left in a guest's table and is the host's. The guest can reach nothing any more. */
export function disposeAbandoned(
  handles: HandleTable,
  hostResources: ReadonlyMap<number, HostResource>,
): void {
  for (const { resource, rep } of handles.takeOwned()) {
    try {
      hostResources.get(resource)?.dispose?.call(rep as object); // A resource of the host is an object of the host.
    } catch {
      // Whoever closes an instance has its error already, or wants none; and the next one is to be disposed of as well.
    }
  }
}
