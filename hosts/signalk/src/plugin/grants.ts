/**
 * From what a package.json asks for to what the plugin is given. Installing a plugin is the consent here, as in
 * signalk-server; the operator can narrow it. What the server never checked stays possible where plugins rely on it,
 * as a grant that is visible and can be taken away.
 */

import type { Grant } from "remora/policy";
import type { WasmCapabilities } from "./manifest.ts";

/** The variable of the environment in which a guest finds its plugin's id, as in signalk-server. */
export const idVariable = "PLUGIN_ID";

/** A grant, and why the plugin has it. */
export interface GivenGrant {
  readonly grant: Grant;
  /**
   * `base`: every plugin has it. `declared`: the manifest asks for it. `compatibility`: the manifest does not, but
   * plugins that run on signalk-server rely on it. `operator`: somebody gave it to this plugin.
   */
  readonly why: "base" | "declared" | "compatibility" | "operator";
}

/** A boat's network is private; a plugin that was given sockets is there to talk to the devices in it. */
const boatNetworks: readonly string[] = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fe80::/10", "fc00::/7"],
  ...["224.0.0.0/4", "ff00::/8", "255.255.255.255", "*"],
];

/** Own ports to listen on, at any address of this machine. */
const listenTargets: readonly string[] = ["udp listen 0.0.0.0 0-65535", "udp listen :: 0-65535"];

/** @param id The plugin's, in the paths that it may serve. */
export function grantsOf(id: string, capabilities: WasmCapabilities): readonly GivenGrant[] {
  const given: GivenGrant[] = baseGrants.map((grant) => ({ grant, why: "base" }));
  const add = (isDeclared: boolean, grant: Grant) => {
    if (isDeclared) given.push({ grant, why: "declared" });
  };
  add(capabilities.storage === "vfs-only", { capability: "fs.private" });
  add(capabilities.dataRead, { capability: "data.read", paths: ["*"] });
  add(capabilities.dataWrite, { capability: "data.write", paths: ["*"] });
  add(capabilities.putHandlers, { capability: "control.put", paths: ["*"] });
  add(capabilities.network, { capability: "net.http", origins: ["*"] });
  add(capabilities.rawSockets, { capability: "net.socket", sockets: socketTargets() });
  add(capabilities.resourceProvider, { capability: "provider.register", kinds: ["resources:*"] });
  add(capabilities.weatherProvider, { capability: "provider.register", kinds: ["weather"] });
  add(capabilities.radarProvider, { capability: "provider.register", kinds: ["radar"] });
  add(capabilities.autopilotProvider, { capability: "provider.register", kinds: ["autopilot"] });
  add(capabilities.serverEvents, { capability: "bus.subscribe", topics: ["*"] });
  add(capabilities.serverEvents, { capability: "bus.publish", topics: ["*"] });
  given.push({
    grant: { capability: "http.serve", paths: [`/plugins/${id}/*`] },
    // signalk-server mounts what a plugin exports, whatever its manifest says; its own first example relies on it.
    why: capabilities.httpEndpoints ? "declared" : "compatibility",
  });
  return given;
}

/** What every plugin finds: to run, to tell the time, to throw dice and to write to the log. */
const baseGrants: readonly Grant[] = [
  { capability: "wasi.base" },
  { capability: "clock.read" },
  { capability: "random.read" },
  { capability: "log.write" },
  { capability: "env.read", names: [idVariable] },
];

function socketTargets(): string[] {
  const connect = boatNetworks.flatMap((network) => [`tcp connect ${network} *`, `udp connect ${network} *`]);
  const groups = ["224.0.0.0/4", "ff00::/8"].map((group) => `udp listen ${group} *`);
  return [...connect, ...groups, ...listenTargets];
}
