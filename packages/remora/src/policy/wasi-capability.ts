/**
 * The capability behind an import of WASI, for the error of a program that offers none: the layer that gives them stands
 * above, and its own table is compared with this one in its tests.
 */

import type { CapabilityName } from "./capability.ts";

/** By package of the Component Model's WASI. */
const ofPackage: Readonly<Record<string, CapabilityName>> = {
  "wasi:io": "wasi.base",
  "wasi:cli": "wasi.base",
  "wasi:filesystem": "wasi.base",
  "wasi:clocks": "clock.read",
  "wasi:random": "random.read",
  "wasi:http": "net.http",
  "wasi:sockets": "net.socket",
  "wasi:logging": "log.write",
  "wasi:keyvalue": "kv.store",
};

/** Undefined for what is no import of WASI, or of a part of it that no sandbox of ours has. */
export function wasiCapability({
  from,
  item = "",
}: {
  readonly from: string;
  readonly item?: string;
}): CapabilityName | undefined {
  if (from === "wasi_snapshot_preview1") {
    if (item === "random_get") return "random.read";
    return item === "clock_time_get" || item === "clock_res_get" ? "clock.read" : "wasi.base";
  }
  const name = from.slice(0, Math.max(0, from.indexOf("/")));
  return Object.hasOwn(ofPackage, name) ? ofPackage[name] : undefined;
}
