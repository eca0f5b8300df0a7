/**
 * Sockets for one plugin: the grants of `net.socket`, the addresses that names led to, and how many are open. A
 * grant names addresses, networks or names, and ports. "*" stands for any public address: one that means something
 * to the host alone is reached only when it is named, as with HTTP.
 */

import { targetKinds } from "../../policy/index.ts";
import type { Gate } from "../gate.ts";
import type { SandboxLimits } from "../limits.ts";
import { addressesMeant, addressKind, canonicalAddress, isInNetworks } from "./address.ts";
import { type Resolve, TooManyLookups } from "./lookups.ts";
import { TcpConnection } from "./tcp.ts";
import { TcpListener } from "./tcp-listener.ts";
import type { Traffic } from "./traffic.ts";
import { UdpPort } from "./udp.ts";

const problems = [
  "access-denied",
  "invalid-argument",
  "new-socket-limit",
  "name-unresolvable",
  "temporary-resolver-failure",
  "address-in-use",
  "address-not-bindable",
  "remote-unreachable",
  "connection-refused",
  "connection-reset",
  "timeout",
  "datagram-too-large",
  "would-block",
  "invalid-state",
  "unknown",
] as const;

/** Why a socket cannot be had or used, in the terms of wasi:sockets. */
export type SocketProblem = (typeof problems)[number];

export function isSocketProblem(value: unknown): value is SocketProblem {
  return (problems as readonly unknown[]).includes(value);
}

/** A socket operation that failed; the text is for the guest as well. */
export class SocketError extends Error {
  readonly problem: SocketProblem;

  constructor(problem: SocketProblem) {
    super(problem);
    this.name = "SocketError";
    this.problem = problem;
  }
}

export interface Endpoint {
  /** An address in numbers; never a name. */
  readonly address: string;
  readonly port: number;
}

export interface SocketsOptions {
  readonly gate: Gate;
  readonly limits: SandboxLimits;
  /** Rejects with `TooManyLookups` what is one too many. */
  readonly resolve: Resolve;
  /** Counts what goes over the sockets. */
  readonly traffic: Traffic;
  /** Networks and addresses that a name may lead to though they are not public. */
  readonly addresses: readonly string[];
}

type Protocol = "tcp" | "udp";
type Role = "connect" | "listen";

/** What is granted now; the gate gives another list when something was taken. */
interface Granted {
  readonly named: readonly string[];
  /** The same in four words each. */
  readonly words: readonly (readonly string[])[];
  /** Whether a target is covered by one that names it. */
  readonly decided: Map<string, boolean>;
}

/** Addresses and targets remembered; the guest chooses how many it asks for. */
const rememberedMax = 1_024;

export class Sockets {
  readonly #options: SocketsOptions;
  /** And what each has passed the gate for. */
  readonly #open = new Map<{ close(): void }, () => Iterable<string>>();
  #granted: Granted | undefined;
  /** Names by the address that they led to. */
  readonly #names = new Map<string, Set<string>>();

  constructor(options: SocketsOptions) {
    this.#options = options;
    const { gate } = options;
    gate.onNarrowed(() => {
      for (const [open, targets] of [...this.#open]) {
        if (![...targets()].every((target) => this.#isStillGiven(target))) open.close();
      }
    });
  }

  /** Sockets that are open now. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Starts a connection, from a port of ours when one is named: that takes a grant for listening there.
   *
   * @throws SocketError when it is refused or one too many.
   */
  connectTcp(remote: Endpoint, local?: Endpoint): TcpConnection {
    const { limits, traffic } = this.#options;
    const targets = new Set<string>();
    if (local !== undefined) targets.add(this.#pass("tcp", "listen", local));
    targets.add(this.#pass("tcp", "connect", remote));
    return this.#hold(
      () => targets,
      (onClose) =>
        TcpConnection.to(remote, { limits, traffic, onClose, ...(local !== undefined && { local }) }),
    );
  }

  /**
   * Takes connections on a granted address and port; port 0 is any that is free, and must be granted as "0".
   *
   * @throws SocketError when it is refused or one too many.
   */
  listenTcp(local: Endpoint): TcpListener {
    const targets = [this.#pass("tcp", "listen", local)];
    const hold = (open: (onClose: () => void) => TcpConnection) => this.#hold(() => targets, open);
    const { limits, traffic } = this.#options;
    return this.#hold(
      () => targets,
      (onClose) => new TcpListener({ local, limits, traffic, hold, onClose }),
    );
  }

  /**
   * A socket for datagrams. Each that is sent passes the gate for where it goes; what is received comes from
   * anywhere when the local port was granted (`bind`), else only from where something was sent.
   */
  openUdp(family: "ipv4" | "ipv6"): UdpPort {
    const pass = (role: Role, endpoint: Endpoint) => this.#pass("udp", role, endpoint);
    const { limits, traffic } = this.#options;
    const targets = () => port.targets();
    const port: UdpPort = this.#hold(targets, (onClose) => {
      return new UdpPort({ family, limits, traffic, pass, onClose });
    });
    return port;
  }

  /**
   * The addresses of a name that some grant mentions; connecting to one of them is then covered by that grant.
   *
   * @throws SocketError `access-denied`, `name-unresolvable`, `temporary-resolver-failure` when too many are under way
   */
  async lookUp(name: string): Promise<readonly string[]> {
    const host = hostOf(name);
    const { gate } = this.#options;
    const { narrowings } = gate;
    this.#passLookup(host);
    const found = await this.#options.resolve(host).catch((error: unknown) => {
      // Why a name is not found is the host's network's business.
      const isFull = error instanceof TooManyLookups;
      throw new SocketError(isFull ? "temporary-resolver-failure" : "name-unresolvable");
    });
    if (gate.narrowings !== narrowings) this.#passLookup(host); // it took its time
    const reachable = found.filter((address) => this.#mayLeadTo(host, address));
    if (reachable.length === 0) throw new SocketError("name-unresolvable");
    for (const address of reachable) {
      if (this.#names.size >= rememberedMax) this.#names.clear();
      const key = canonicalAddress(address) ?? address;
      this.#names.set(key, (this.#names.get(key) ?? new Set()).add(host));
    }
    return reachable;
  }

  /** Whether what a name led to may still be told. @throws SocketError `access-denied` */
  checkName(name: string): void {
    this.#passLookup(hostOf(name));
  }

  close(): void {
    for (const socket of [...this.#open.keys()]) socket.close();
  }

  #hold<Socket extends { close(): void }>(
    targets: () => Iterable<string>,
    open: (onClose: () => void) => Socket,
  ): Socket {
    if (this.#open.size >= this.#options.limits.socketsMax) throw new SocketError("new-socket-limit");
    const socket = open(() => this.#open.delete(socket));
    this.#open.set(socket, targets);
    return socket;
  }

  /** Asking for a name tells it to others: it takes a grant by which one of its addresses could be reached. */
  #passLookup(host: string): void {
    const { gate } = this.#options;
    const targets = this.#now()
      .words.filter(([, role, address]) => role === "connect" && (address === host || address === "*"))
      .map(([protocol, role, , ports]) => `${protocol} ${role} ${host} ${ports}`);
    const target = targets.find((one) => !gate.forbids("net.socket", one)) ?? targets[0];
    const refuse = (): never => {
      throw new SocketError("access-denied");
    };
    if (target !== undefined) gate.act("net.socket", target, () => {}, refuse);
    else {
      gate.refuse("net.socket", host, "no grant mentions the name");
      refuse();
    }
  }

  /** A name may lead to what is not public only where the operator named that too. */
  #mayLeadTo(name: string, address: string): boolean {
    const kind = addressKind(address);
    if (kind === "public" || (kind !== "malformed" && isInNetworks(address, this.#options.addresses)))
      return true;
    this.#options.gate.refuse("net.socket", name, `the address ${address} is ${kind} and not named`);
    return false;
  }

  /** @returns What passed. */
  #pass(protocol: Protocol, role: Role, endpoint: Endpoint): string {
    const { gate } = this.#options;
    const kind = addressKind(endpoint.address);
    const isPort = Number.isInteger(endpoint.port) && endpoint.port >= 0 && endpoint.port <= 65_535;
    if (kind === "malformed" || !isPort || (role === "connect" && endpoint.port === 0)) {
      throw new SocketError("invalid-argument");
    }
    const targetOf = (address: string) => `${protocol} ${role} ${address} ${endpoint.port}`;
    const [address = "", ...carried] = addressesMeant(endpoint.address);
    const byAddress = targetOf(address);
    const byNames = [...(this.#names.get(address) ?? [])].map(targetOf);
    const named = byNames.find((target) => this.#isNamed(target));
    const target = named ?? byAddress;
    const refuse = (): never => {
      throw new SocketError("access-denied");
    };
    // A grant may be for a name and a denial for its address, or the other way round.
    const others = [byAddress, ...carried.map(targetOf), ...byNames];
    const denied = others.find((other) => other !== target && gate.forbids("net.socket", other));
    if (denied !== undefined) {
      gate.refuse("net.socket", target, `a denial speaks of ${denied}`);
      refuse();
    }
    if (role === "connect" && kind !== "public" && named === undefined && !this.#isNamed(byAddress)) {
      gate.refuse("net.socket", target, `the address is ${kind} and not named`);
      refuse();
    }
    return gate.act("net.socket", target, () => target, refuse);
  }

  /** Whether what has passed would pass again: what was let pass because it was named must still be. */
  #isStillGiven(target: string): boolean {
    const [, role, address = ""] = target.split(" ");
    const mustBeNamed = role === "connect" && addressKind(address) !== "public";
    return this.#options.gate.gives("net.socket", target) && (!mustBeNamed || this.#isNamed(target));
  }

  /** Whether a grant covers a target by more than "*" or a network of all addresses. Decided once, until something is taken. */
  #isNamed(target: string): boolean {
    const { words, decided } = this.#now();
    let isNamed = decided.get(target);
    if (isNamed === undefined) {
      const asked = targetKinds.socket.canonical(target);
      const covers = (granted: readonly string[]): boolean =>
        !/^\*$|\/0$/.test(granted[2] ?? "") &&
        asked !== undefined &&
        targetKinds.socket.covers(granted.join(" "), asked);
      isNamed = words.some(covers);
      if (decided.size >= rememberedMax) decided.clear();
      decided.set(target, isNamed);
    }
    return isNamed;
  }

  #now(): Granted {
    const named = this.#options.gate.named("net.socket");
    if (this.#granted?.named !== named) {
      this.#granted = { named, words: named.map((target) => target.split(" ")), decided: new Map() };
    }
    return this.#granted;
  }
}

function hostOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

const nodeProblems: Readonly<Record<string, SocketProblem>> = {
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-reset",
  EPIPE: "connection-reset",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "remote-unreachable",
  ENETUNREACH: "remote-unreachable",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-bindable",
  EMSGSIZE: "datagram-too-large",
  EACCES: "access-denied",
  EINVAL: "invalid-argument",
};

/** What Node said, without what only the host should know. */
export function socketProblemOf(error: unknown): SocketProblem {
  if (error instanceof SocketError) return error.problem;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return (Object.hasOwn(nodeProblems, code) ? nodeProblems[code] : undefined) ?? "unknown";
}
