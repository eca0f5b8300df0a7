/**
 * The sandbox of one plugin: from what was granted to the objects that its instances import. Everything here is
 * an offer; which offers are linked is decided by `checkImports`, and what a linked function may do by the gate.
 */

import { lookup } from "node:dns/promises";
import { slowHostInterface } from "../component/index.ts";
import {
  coreVocabulary,
  type Grant,
  type ImportNeed,
  type ImportOffer,
  type Vocabulary,
} from "../policy/index.ts";
import type { AuditSink } from "./audit.ts";
import { Programs } from "./exec/execute.ts";
import { type FileUsage, openMounts } from "./fs/mounts.ts";
import { Gate } from "./gate.ts";
import type { Guest } from "./guest.ts";
import { HttpClient } from "./http/client.ts";
import { httpFunctions, httpModule, httpNames } from "./http/core-module.ts";
import { checkNetworks } from "./http/destination.ts";
import { requestWhole, type WholeRequest, type WholeResponse } from "./http/request.ts";
import { WebSockets } from "./http/websocket.ts";
import { KeyValueStore } from "./keyvalue/store.ts";
import { type SandboxLimits, sandboxLimits } from "./limits.ts";
import { type ClockChoice, clockOf } from "./machine/clock.ts";
import { bytesInput, streamInput } from "./machine/input.ts";
import { BoundedLog, type LogSink } from "./machine/log.ts";
import { Machine, type PluginMachine } from "./machine/machine.ts";
import { realRandom, seededRandom } from "./machine/random.ts";
import { noWaiting, type Waiting } from "./machine/waiting.ts";
import { boundedResolve, type Resolve } from "./net/lookups.ts";
import { Sockets } from "./net/sockets.ts";
import { noTraffic, type Traffic } from "./net/traffic.ts";
import {
  type CoreImport,
  preview1Capability,
  preview1Functions,
  preview1Module,
  preview1Names,
} from "./preview1/functions.ts";
import { type HostInterface, interfaceName, interfaceRow, interfaces } from "./preview2/interfaces.ts";
import { suspendingInterface } from "./preview2/suspending.ts";

export interface SandboxOptions {
  /** The plugin's id: who, in the audit and the log. */
  readonly plugin: string;
  readonly grants: readonly Grant[];
  /** Refused by the operator whatever is granted. */
  readonly denials?: readonly Grant[];
  readonly vocabulary?: Vocabulary;
  readonly audit: AuditSink;
  /** Where standard output, standard error and the log function go. */
  readonly log: LogSink;
  /** Milliseconds since 1970, as `Date.now` gives them. */
  readonly nowMs: () => number;
  readonly limits?: Partial<SandboxLimits>;
  /** Default: real. */
  readonly clock?: ClockChoice;
  /** Default: the operating system's. A seed gives every instance the same bytes. */
  readonly random?: { readonly kind: "real" } | { readonly kind: "seeded"; readonly seed: string | bigint };
  /** The arguments of a program, its name first. Default: none. */
  readonly arguments?: readonly string[];
  /** Values of variables. A guest sees those that `env.read` grants by name. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * What a program reads from its standard input. Of a stream all instances read on where another one stopped, and
   * wait for what is not there yet, as `waiting` says. Default: nothing.
   */
  readonly standardInput?: Uint8Array | AsyncIterable<Uint8Array>;
  /**
   * Under `fs.private`: the host's folder that is the plugin's own root, with `data`, `config` and `tmp` in it.
   * Default: in memory, gone with the sandbox.
   */
  readonly privateFolder?: string;
  /** The host's folder for each path that `fs.read` or `fs.write` grants, by the path as the guest sees it. */
  readonly folders?: Readonly<Record<string, string>>;
  readonly network?: {
    /** Addresses for a name. Default: the host's resolver. */
    readonly resolve?: Resolve;
    /**
     * Networks and addresses that a granted name may lead to though they are not public: `["192.168.1.0/24"]`. An
     * address that a grant names is reached without. Default: none.
     */
    readonly addresses?: readonly string[];
    /** Certificates that HTTPS trusts, PEM. Default: those of the system. */
    readonly certificates?: string;
  };
  /** Under `kv.store`: the file that keeps the plugin's keys and values. Default: in memory. */
  readonly keyValueFile?: string;
  /**
   * How guests wait for timers, sockets and responses. Default: not at all: whoever waits is ended with
   * `sandbox/cannot-wait`. With `suspendedWaiting` calls into a guest that imports such functions give promises.
   */
  readonly waiting?: Waiting;
}

export interface Sandbox {
  /** What it was opened with. */
  readonly grants: readonly Grant[];
  /** What can be imported from here, and the capability that it takes: for `checkImports`. */
  readonly offers: readonly ImportOffer[];
  readonly gate: Gate;
  readonly limits: SandboxLimits;
  /** What the plugin's files take, by the path as the guest sees it. */
  usage(): readonly FileUsage[];
  /** What went over the network so far, and goes on counting. */
  readonly traffic: Readonly<Traffic>;
  /**
   * An HTTP request for the plugin, redirects followed: for a host function that gives its guests one. It passes
   * the gate as the guest's own requests do.
   *
   * @throws HttpFailure with the reason in the terms of wasi:http
   */
  request(request: WholeRequest): Promise<WholeResponse>;
  /** Sockets that never block, for a host function that gives its guests some. They pass the gate like the guest's. */
  readonly sockets: Sockets;
  /** WebSockets to origins under `net.http` (`wss://name`), for a host function that gives its guests some. */
  readonly webSockets: WebSockets;
  /** Programs under `proc.exec`, for a host function that gives its guests such a power. */
  readonly programs: Programs;
  /**
   * From now on these are given and nothing else: something was taken while guests run. What they hold open by it, files,
   * requests, connections, programs, is closed or refused from then on.
   */
  narrow(grants: readonly Grant[]): void;
  /** The imports of one instance. Close them when it is discarded. */
  forInstance(guest: Guest): InstanceImports;
  close(): void;
  [Symbol.dispose](): void;
}

export interface InstanceImports {
  /**
   * The host object of a component's import.
   *
   * @param name An interface as it is imported, of any version 0.2.x or of its draft: `wasi:clocks/wall-clock@0.2.3`.
   * @returns    Its functions and resource classes in camel case, or undefined when there is no such offer.
   */
  component(name: string): HostInterface | undefined;
  /** The functions of a core module's import module, or undefined when there is no such offer. */
  core(module: string): Readonly<Record<string, CoreImport>> | undefined;
  /**
   * All host objects for what an artifact imports, by import name; what there is no offer for is left out. Of a
   * core module's imports only the named functions are in it.
   */
  hostImports(needed: readonly ImportNeed[]): Record<string, HostInterface>;
  /** A call into the guest begins: what is bounded by the call is whole again. */
  beginCall(): void;
  /** Closes all handles that the guest still has. */
  close(): void;
}

/** What any sandbox can give: it is the same for all plugins. */
export const sandboxOffers: readonly ImportOffer[] = [
  ...preview1Names.map((name) => ({
    import: `${preview1Module}.${name}`,
    capability: preview1Capability(name),
  })),
  ...httpNames.map((name) => ({ import: `${httpModule}.${name}`, capability: "net.http" as const })),
  ...interfaces.map((row) => ({ import: interfaceName(row), capability: row.capability })),
];

/** Opens the sandbox of a plugin. Nothing is reachable in it but through `options.grants`. */
export function sandboxImports(options: SandboxOptions): Sandbox {
  const limits = sandboxLimits(options.limits);
  const { plugin, audit, nowMs } = options;
  const rules = { grants: options.grants, denials: options.denials ?? [] };
  const gate = new Gate({ plugin, rules, audit, nowMs, vocabulary: options.vocabulary ?? coreVocabulary });
  const log = new BoundedLog(plugin, options.log, limits);
  const clock = clockOf(options.clock ?? { kind: "real" }, nowMs); // a wrong choice is told now
  const timeStepNs = options.clock?.kind === "coarse" ? clock.wallStepNs : 1n;
  const mounts = openMounts({ ...options, limits, nowNs: () => clock.wallNs(), timeStepNs });
  const traffic = noTraffic();
  const network = {
    gate,
    traffic,
    limits,
    resolve: boundedResolve(options.network?.resolve ?? hostResolve, limits.lookupsPendingMax),
    addresses: checkNetworks(options.network?.addresses ?? []),
  };
  const { certificates } = options.network ?? {};
  const secured = { ...network, ...(certificates !== undefined && { certificates }) };
  const http = new HttpClient(secured);
  const webSockets = new WebSockets(secured);
  const sockets = new Sockets(network);
  const programs = new Programs(gate, limits);
  const input = options.standardInput ?? new Uint8Array(0);
  const stream = Symbol.asyncIterator in input ? streamInput(input) : undefined;
  const random = options.random ?? { kind: "real" };
  const shared: PluginMachine = {
    plugin,
    gate,
    limits,
    log,
    newClock: () => clockOf(options.clock ?? { kind: "real" }, nowMs),
    newRandom: () => (random.kind === "real" ? realRandom() : seededRandom(random.seed)),
    waiting: options.waiting ?? noWaiting,
    environment: new Map(Object.entries(options.environment ?? {})),
    arguments: options.arguments ?? [],
    newInput: () => stream ?? bytesInput(input as Uint8Array), // no stream, so bytes
    isInputStream: stream !== undefined,
    http,
    sockets,
    keyValues: () => {
      keyValues ??= new KeyValueStore(limits, options.keyValueFile);
      return keyValues;
    },
    mounts: mounts.map((mounted) => mounted.mount),
  };
  let keyValues: KeyValueStore | undefined;
  const machines = new Set<Machine>();
  let isClosed = false;
  const close = () => {
    isClosed = true;
    gate.narrow([]); // a call that is still under way, or a host function that comes late, opens nothing any more
    for (const machine of machines) machine.close();
    machines.clear();
    for (const mounted of mounts) mounted.close();
    http.close();
    webSockets.close();
    sockets.close();
    programs.close();
    stream?.close();
    keyValues?.close();
    keyValues = undefined;
    log.close();
  };
  return {
    grants: options.grants,
    offers: sandboxOffers,
    gate,
    limits,
    usage: () =>
      mounts.map(({ mount, quota }) => ({
        guestPath: mount.guestPath,
        bytesUsed: quota.bytesUsed,
        namesUsed: quota.namesUsed,
      })),
    traffic,
    sockets,
    webSockets,
    programs,
    request: (request) => requestWhole(http, request),
    narrow: (grants) => {
      if (!isClosed) gate.narrow(grants);
    },
    forInstance: (guest) => {
      const machine = new Machine(shared, guest);
      machines.add(machine);
      return instanceImports(machine, () => machines.delete(machine));
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** All addresses of a name, as the host's system finds them. */
async function hostResolve(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map((entry) => entry.address);
}

function instanceImports(machine: Machine, onClose: () => void): InstanceImports {
  const made = new Map<string, HostInterface>();
  let preview1: Readonly<Record<string, CoreImport>> | undefined;
  let http: Readonly<Record<string, CoreImport>> | undefined;
  const imports: InstanceImports = {
    component(name) {
      const row = interfaceRow(name);
      if (row === undefined) return undefined;
      const known = made.get(row.name);
      if (known !== undefined) return known;
      const plain = row.isSlow ? slowHostInterface(row.make(machine)) : row.make(machine);
      const isSuspending = machine.shared.waiting.suspends && row.suspending !== undefined;
      const host = isSuspending ? suspendingInterface(plain, row.suspending) : plain;
      made.set(row.name, host);
      return host;
    },
    core(module) {
      switch (module) {
        case preview1Module:
          preview1 ??= preview1Functions(machine);
          return preview1;
        case httpModule:
          http ??= httpFunctions(machine);
          return http;
        default:
          return undefined;
      }
    },
    hostImports(needed) {
      const found: Record<string, Record<string, unknown>> = Object.create(null);
      for (const { from, item } of needed) {
        const host = imports.component(from);
        if (host !== undefined) found[from] = host;
        const functions = item === undefined ? undefined : imports.core(from);
        if (functions === undefined || item === undefined || !Object.hasOwn(functions, item)) continue;
        found[from] ??= {};
        found[from][item] = functions[item];
      }
      return found;
    },
    beginCall: () => machine.beginCall(),
    close: () => {
      machine.close();
      onClose();
    },
  };
  return imports;
}
