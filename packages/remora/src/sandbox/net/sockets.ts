/**
 * Sockets for one plugin: the grants of `net.socket`, the addresses that names led to, and how many are open. A
 * grant names addresses, networks or names, and ports. "*" stands for any public address: one that means something
 * to the host alone is reached only when it is named, as with HTTP.
 */

import { coreVocabulary, targetKinds } from "../../policy/index.ts";
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

/** Addresses remembered for granted names; the guest chooses how often it asks. */
const rememberedMax = 1_024;

const field = coreVocabulary.get("net.socket")?.target?.field ?? "sockets";

export class Sockets {
  readonly #options: SocketsOptions;
  /** And what each has passed the gate for. */
  readonly #open = new Map<{ close(): void }, ReadonlySet<string>>();
  /** Names by the address that they led to. */
  readonly #names = new Map<string, Set<string>>();

  constructor(options: SocketsOptions) {
    this.#options = options;
    const { gate } = options;
    gate.onNarrowed(() => {
      for (const [open, targets] of [...this.#open]) {
        if (![...targets].every((target) => this.#isStillGiven(target))) open.close();
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
    return this.#hold(targets, (onClose) =>
      TcpConnection.to(remote, { limits, traffic, onClose, ...(local !== undefined && { local }) }),
    );
  }

  /**
   * Takes connections on a granted address and port; port 0 is any that is free, and must be granted as "0".
   *
   * @throws SocketError when it is refused or one too many.
   */
  listenTcp(local: Endpoint): TcpListener {
    const targets = new Set([this.#pass("tcp", "listen", local)]);
    const hold = (open: (onClose: () => void) => TcpConnection) => this.#hold(targets, open);
    const { limits, traffic } = this.#options;
    return this.#hold(targets, (onClose) => new TcpListener({ local, limits, traffic, hold, onClose }));
  }

  /**
   * A socket for datagrams. Each that is sent passes the gate for where it goes; what is received comes from
   * anywhere when the local port was granted (`bind`), else only from where something was sent.
   */
  openUdp(family: "ipv4" | "ipv6"): UdpPort {
    const targets = new Set<string>();
    const pass = (role: Role, endpoint: Endpoint) => {
      const target = this.#pass("udp", role, endpoint);
      // The guest chooses how many: where it sends to passes each time, what it listens to only once.
      if (targets.size >= rememberedMax) forgetPeers(targets);
      if (targets.size >= rememberedMax) throw new SocketError("new-socket-limit");
      targets.add(target);
    };
    const { limits, traffic } = this.#options;
    return this.#hold(targets, (onClose) => new UdpPort({ family, limits, traffic, pass, onClose }));
  }

  /**
   * The addresses of a name that some grant mentions; connecting to one of them is then covered by that grant.
   *
   * @throws SocketError `access-denied`, `name-unresolvable`, `temporary-resolver-failure` when too many are under way
   */
  async lookUp(name: string): Promise<readonly string[]> {
    const host = name.toLowerCase().replace(/\.$/, "");
    this.#passLookup(host);
    const found = await this.#options.resolve(host).catch((error: unknown) => {
      // Why a name is not found is the host's network's business.
      const isFull = error instanceof TooManyLookups;
      throw new SocketError(isFull ? "temporary-resolver-failure" : "name-unresolvable");
    });
    const reachable = found.filter((address) => this.#mayLeadTo(host, address));
    if (reachable.length === 0) throw new SocketError("name-unresolvable");
    for (const address of reachable) {
      if (this.#names.size >= rememberedMax) this.#names.clear();
      const key = canonicalAddress(address) ?? address;
      this.#names.set(key, (this.#names.get(key) ?? new Set()).add(host));
    }
    return reachable;
  }

  close(): void {
    for (const socket of [...this.#open.keys()]) socket.close();
  }

  #hold<Socket extends { close(): void }>(
    targets: ReadonlySet<string>,
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
    const targets = this.#targets()
      .filter(([, role, address]) => role === "connect" && (address === host || address === "*"))
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
    const named = byNames.find((target) => this.#isCovered(target, true));
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
    if (role === "connect" && kind !== "public" && named === undefined && !this.#isCovered(byAddress, true)) {
      gate.refuse("net.socket", target, `the address is ${kind} and not named`);
      refuse();
    }
    return gate.act("net.socket", target, () => target, refuse);
  }

  /** Whether what has passed would pass again: what was let pass because it was named must still be. */
  #isStillGiven(target: string): boolean {
    const [, role, address = ""] = target.split(" ");
    const mustBeNamed = role === "connect" && addressKind(address) !== "public";
    return this.#options.gate.gives("net.socket", target) && (!mustBeNamed || this.#isCovered(target, true));
  }

  /** Whether a grant covers a target, by more than "*" or a network of all addresses when it must be named. */
  #isCovered(target: string, mustBeNamed: boolean): boolean {
    const asked = targetKinds.socket.canonical(target);
    return (
      asked !== undefined &&
      this.#targets().some(
        (words) =>
          (!mustBeNamed || !/^\*$|\/0$/.test(words[2] ?? "")) &&
          targetKinds.socket.covers(words.join(" "), asked),
      )
    );
  }

  /** The granted targets in their four words. */
  #targets(): string[][] {
    return this.#options.gate.grants
      .filter((grant) => grant.capability === "net.socket")
      .flatMap((grant) => grant[field] ?? [])
      .flatMap((text) => targetKinds.socket.canonical(text)?.split(" ") ?? [])
      .reduce<string[][]>((rows, word, index) => {
        if (index % 4 === 0) rows.push([]);
        rows.at(-1)?.push(word);
        return rows;
      }, []);
  }
}

function forgetPeers(targets: Set<string>): void {
  for (const target of targets) if (target.startsWith("udp connect ")) targets.delete(target);
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
