/**
 * The table of WASI 0.2 interfaces: for each what it takes to be linked and what makes its host object. An
 * interface that is not in the table does not exist for a component.
 */

import type { CapabilityName } from "../../policy/index.ts";
import type { Machine } from "../machine/machine.ts";
import { environment, exit, stderr, stdin, stdout, terminals } from "./cli.ts";
import { monotonicClock, timezone, wallClock } from "./clocks.ts";
import { filesystemTypes, preopens } from "./filesystem.ts";
import { httpTypes, outgoingHandler } from "./http.ts";
import { keyvalueStore } from "./keyvalue.ts";
import { logging } from "./logging.ts";
import { Pollable, poll } from "./poll.ts";
import { insecureRandom, insecureSeed, random } from "./random.ts";
import { socketInterfaces } from "./sockets.ts";
import { InputStream, IoError, OutputStream } from "./streams.ts";

/** The version that is implemented; every 0.2.x links to it. */
export const wasiVersion = "0.2.12";

/** Functions and resource classes of an interface, by their names in camel case. */
export type HostInterface = Readonly<Record<string, unknown>>;

interface InterfaceRow {
  readonly name: string;
  /** Where it is not `wasiVersion`; a draft is compatible with itself alone. */
  readonly version?: string;
  readonly capability: CapabilityName;
  /** Called once an instance, when a component imports it. */
  readonly make: (machine: Machine) => HostInterface;
  /** Its functions read and write files: the guest's clock is looked at after them. */
  readonly isSlow?: true;
  /** Functions that can return a promise, on which the engine must suspend the guest. */
  readonly suspending?: readonly string[];
}

export const interfaces: readonly InterfaceRow[] = [
  {
    name: "wasi:io/poll",
    capability: "wasi.base",
    make: (machine) => ({ Pollable, poll: (pollables: readonly Pollable[]) => poll(machine, pollables) }),
    suspending: ["poll", "[method]pollable.block"],
  },
  { name: "wasi:io/error", capability: "wasi.base", make: () => ({ Error: IoError }) },
  {
    name: "wasi:io/streams",
    capability: "wasi.base",
    make: () => ({ InputStream, OutputStream }),
    isSlow: true,
    suspending: [
      "[method]input-stream.blocking-read",
      "[method]input-stream.blocking-skip",
      "[method]output-stream.blocking-write-and-flush",
      "[method]output-stream.blocking-flush",
      "[method]output-stream.blocking-write-zeroes-and-flush",
      "[method]output-stream.blocking-splice",
    ],
  },
  { name: "wasi:cli/environment", capability: "wasi.base", make: environment },
  { name: "wasi:cli/exit", capability: "wasi.base", make: exit },
  { name: "wasi:cli/stdin", capability: "wasi.base", make: stdin },
  { name: "wasi:cli/stdout", capability: "wasi.base", make: stdout },
  { name: "wasi:cli/stderr", capability: "wasi.base", make: stderr },
  { name: "wasi:cli/terminal-input", capability: "wasi.base", make: terminals.input },
  { name: "wasi:cli/terminal-output", capability: "wasi.base", make: terminals.output },
  { name: "wasi:cli/terminal-stdin", capability: "wasi.base", make: terminals.stdin },
  { name: "wasi:cli/terminal-stdout", capability: "wasi.base", make: terminals.stdout },
  { name: "wasi:cli/terminal-stderr", capability: "wasi.base", make: terminals.stderr },
  { name: "wasi:filesystem/types", capability: "wasi.base", make: filesystemTypes, isSlow: true },
  { name: "wasi:filesystem/preopens", capability: "wasi.base", make: preopens },
  { name: "wasi:clocks/wall-clock", capability: "clock.read", make: wallClock },
  { name: "wasi:clocks/monotonic-clock", capability: "clock.read", make: monotonicClock },
  { name: "wasi:clocks/timezone", capability: "clock.read", make: timezone },
  { name: "wasi:http/types", capability: "net.http", make: httpTypes },
  {
    name: "wasi:http/outgoing-handler",
    capability: "net.http",
    make: outgoingHandler,
  },
  { name: "wasi:logging/logging", version: "0.1.0-draft", capability: "log.write", make: logging },
  {
    name: "wasi:keyvalue/store",
    version: "0.2.0-draft2",
    capability: "kv.store",
    make: keyvalueStore,
    isSlow: true,
  },
  { name: "wasi:sockets/network", capability: "net.socket", make: socketInterfaces.network },
  { name: "wasi:sockets/instance-network", capability: "net.socket", make: socketInterfaces.instanceNetwork },
  { name: "wasi:sockets/ip-name-lookup", capability: "net.socket", make: socketInterfaces.ipNameLookup },
  { name: "wasi:sockets/tcp", capability: "net.socket", make: socketInterfaces.tcp },
  {
    name: "wasi:sockets/tcp-create-socket",
    capability: "net.socket",
    make: socketInterfaces.tcpCreateSocket,
  },
  { name: "wasi:sockets/udp", capability: "net.socket", make: socketInterfaces.udp },
  {
    name: "wasi:sockets/udp-create-socket",
    capability: "net.socket",
    make: socketInterfaces.udpCreateSocket,
  },
  { name: "wasi:random/random", capability: "random.read", make: random },
  { name: "wasi:random/insecure", capability: "random.read", make: insecureRandom },
  { name: "wasi:random/insecure-seed", capability: "random.read", make: insecureSeed },
];

/** `wasi:clocks/wall-clock@0.2.12` */
export function interfaceName(row: InterfaceRow): string {
  return `${row.name}@${row.version ?? wasiVersion}`;
}

/** The row for an import, by a compatible version or none at all. */
export function interfaceRow(name: string): InterfaceRow | undefined {
  const at = name.indexOf("@");
  const row = rowsByName.get(at < 0 ? name : name.slice(0, at));
  if (row === undefined || at < 0) return row;
  const version = name.slice(at + 1);
  const isCompatible = row.version === undefined ? /^0\.2\.\d+$/.test(version) : version === row.version;
  return isCompatible ? row : undefined;
}

const rowsByName = new Map(interfaces.map((row) => [row.name, row]));
