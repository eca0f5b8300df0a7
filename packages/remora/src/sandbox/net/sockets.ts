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
import { addressKindHere } from "./own-addresses.ts";
import { TcpConnection } from "./tcp.ts";
import { TcpListener } from "./tcp-listener.ts";
import type { Traffic } from "./traffic.ts";
import { TurnCount } from "./turn-count.ts";
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

/** What has passed the gate, with all that may cover it: another grant of these names or of the address may do so later. */
export interface Passed {
  readonly protocol: Protocol;
  readonly role: Role;
  readonly endpoint: Endpoint;
  /** Names that had led to the address, as far as a grant mentioned them. */
  readonly names: readonly string[];
}

/** A socket of any kind. */
interface Open {
  /** @param why What whoever holds it is told from then on; else it was closed by that itself. */
  close(why?: SocketProblem): void;
}

interface Judged {
  /** What the gate is asked for: by a name that a grant mentions, else by the address. */
  readonly target: string;
  /** Why it is refused whatever the gate says. */
  readonly why: string | undefined;
}

/** What is granted now; the gate gives another list when something was taken. */
interface Granted {
  readonly named: readonly string[];
  /** The same in four words each. */
  readonly words: readonly (readonly string[])[];
  /** Whether a target is covered by one that names it. */
  readonly decided: Map<string, boolean>;
}

/** Names with an address each, and targets, remembered; the guest chooses how many it asks for. */
const rememberedMax = 1_024;

/** Sockets that are opened in one turn of the event loop: what was closed in it the host has to hold until it is over. */
const openedInTurnMax = 1_024;

export class Sockets {
  readonly #options: SocketsOptions;
  /** And whether anything of it is left when something was taken. */
  readonly #open = new Map<Open, () => boolean>();
  readonly #openedInTurn = new TurnCount();
  #granted: Granted | undefined;
  /** Names by the address that they led to. */
  readonly #names = new Map<string, Set<string>>();
  #namesCount = 0;

  constructor(options: SocketsOptions) {
    this.#options = options;
    const { gate } = options;
    gate.onNarrowed(() => {
      for (const [open, isLeft] of [...this.#open]) if (!isLeft()) open.close("access-denied");
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
    const passed: Passed[] = [];
    if (local !== undefined) passed.push(this.#pass("tcp", "listen", local));
    passed.push(this.#pass("tcp", "connect", remote));
    return this.#hold(
      () => passed.every((each) => this.#isStillGiven(each)),
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
    const passed = this.#pass("tcp", "listen", local);
    const isLeft = () => this.#isStillGiven(passed);
    const hold = (open: (onClose: () => void) => TcpConnection) => this.#hold(isLeft, open);
    const { limits, traffic } = this.#options;
    return this.#hold(isLeft, (onClose) => new TcpListener({ local, limits, traffic, hold, onClose }));
  }

  /**
   * A socket for datagrams. Each that is sent passes the gate for where it goes; what is received comes from
   * anywhere when the local port was granted (`bind`), else only from where something was sent.
   */
  openUdp(family: "ipv4" | "ipv6"): UdpPort {
    const pass = (role: Role, endpoint: Endpoint) => this.#pass("udp", role, endpoint);
    const { limits, traffic } = this.#options;
    const isLeft = () => port.keep((passed) => this.#isStillGiven(passed));
    const port: UdpPort = this.#hold(isLeft, (onClose) => {
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
    const pass = (target: string) =>
      gate.act(
        "net.socket",
        target,
        () => true,
        () => false,
      );
    this.#askLookup(host, pass);
    const found = await this.#options.resolve(host).catch((error: unknown) => {
      // Why a name is not found is the host's network's business.
      const isFull = error instanceof TooManyLookups;
      throw new SocketError(isFull ? "temporary-resolver-failure" : "name-unresolvable");
    });
    if (gate.narrowings !== narrowings) this.checkName(host); // it took its time
    const reachable = found.filter((address) => this.#mayLeadTo(host, address));
    if (reachable.length === 0) throw new SocketError("name-unresolvable");
    for (const address of reachable) this.#remember(host, canonicalAddress(address) ?? address);
    return reachable;
  }

  #remember(host: string, address: string): void {
    if (this.#names.get(address)?.has(host) === true) return;
    if (++this.#namesCount > rememberedMax) {
      this.#names.clear();
      this.#namesCount = 1;
    }
    this.#names.set(address, (this.#names.get(address) ?? new Set()).add(host));
  }

  /** Whether what a name led to may still be told. @throws SocketError `access-denied` */
  checkName(name: string): void {
    this.#askLookup(hostOf(name), (target) => this.#options.gate.mayGoOn("net.socket", target));
  }

  close(): void {
    for (const socket of [...this.#open.keys()]) socket.close();
  }

  #hold<Socket extends Open>(isLeft: () => boolean, open: (onClose: () => void) => Socket): Socket {
    const isFull = this.#open.size >= this.#options.limits.socketsMax;
    if (isFull || this.#openedInTurn.next() > openedInTurnMax) throw new SocketError("new-socket-limit");
    const socket = open(() => this.#open.delete(socket));
    this.#open.set(socket, isLeft);
    return socket;
  }

  /** Asking for a name tells it to others: it takes a grant by which one of its addresses could be reached. */
  #askLookup(host: string, isAllowed: (target: string) => boolean): void {
    const { gate } = this.#options;
    const targets = this.#now()
      .words.filter(([, role, address]) => role === "connect" && (address === host || address === "*"))
      .map(([protocol, role, , ports]) => `${protocol} ${role} ${host} ${ports}`);
    const target = targets.find((one) => !gate.forbids("net.socket", one)) ?? targets[0];
    if (target === undefined) gate.refuse("net.socket", host, "no grant mentions the name");
    if (target === undefined || !isAllowed(target)) throw new SocketError("access-denied");
  }

  /** A name may lead to what is not public only where the operator named that too. */
  #mayLeadTo(name: string, address: string): boolean {
    const kind = addressKindHere(address);
    if (kind === "public" || (kind !== "malformed" && isInNetworks(address, this.#options.addresses)))
      return true;
    this.#options.gate.refuse("net.socket", name, `the address ${address} is ${kind} and not named`);
    return false;
  }

  #pass(protocol: Protocol, role: Role, endpoint: Endpoint): Passed {
    const { gate } = this.#options;
    const isPort = Number.isInteger(endpoint.port) && endpoint.port >= 0 && endpoint.port <= 65_535;
    const isNowhere =
      addressKind(endpoint.address) === "malformed" || (role === "connect" && endpoint.port === 0);
    if (!isPort || isNowhere) throw new SocketError("invalid-argument");
    const asked = { protocol, role, endpoint, names: this.#namesOf(endpoint.address) };
    const refuse = (): never => {
      throw new SocketError("access-denied");
    };
    const { target, why } = this.#judge(asked);
    if (why !== undefined) {
      gate.refuse("net.socket", target, why);
      refuse();
    }
    const names = asked.names.filter((name) => this.#isNamed(targetOf(asked, name)));
    return gate.act("net.socket", target, () => ({ ...asked, names }), refuse);
  }

  /** Whether what has passed would pass again: by the same grant, or by what else covers it. */
  #isStillGiven(passed: Passed): boolean {
    const names = [...passed.names, ...this.#namesOf(passed.endpoint.address)];
    const { target, why } = this.#judge({ ...passed, names });
    return why === undefined && this.#options.gate.gives("net.socket", target);
  }

  #judge(asked: Passed): Judged {
    const { gate } = this.#options;
    const { role, endpoint, names } = asked;
    const [byAddress = "", ...byCarried] = addressesMeant(endpoint.address).map((each) =>
      targetOf(asked, each),
    );
    const byNames = names.map((name) => targetOf(asked, name));
    const named = byNames.find((target) => this.#isNamed(target));
    const target = named ?? byAddress;
    // A grant may be for a name and a denial for its address, or the other way round.
    const others = [byAddress, ...byCarried, ...byNames];
    const denied = others.find((other) => other !== target && gate.forbids("net.socket", other));
    if (denied !== undefined) return { target, why: `a denial speaks of ${denied}` };
    const kind = addressKindHere(endpoint.address);
    const mustBeNamed = role === "connect" && kind !== "public";
    if (mustBeNamed && named === undefined && !this.#isNamed(byAddress))
      return { target, why: `the address is ${kind} and not named` };
    return { target, why: undefined };
  }

  /** Names that led to an address, as far as they are remembered. */
  #namesOf(address: string): readonly string[] {
    return [...(this.#names.get(canonicalAddress(address) ?? address) ?? [])];
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

function targetOf({ protocol, role, endpoint }: Passed, host: string): string {
  return `${protocol} ${role} ${host} ${endpoint.port}`;
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
