/**
 * One live guest with all that is its own: the sandbox that it runs in, its host functions, what it registered. When
 * the session is closed nothing of it is left, whatever state the guest was in.
 */

import { type Artifact, type GuestAccess, type Isolation, importNames, type Limits } from "remora/engine";
import { checkImports, type Grant } from "remora/policy";
import {
  type AuditSink,
  type InstanceImports,
  type Sandbox,
  sandboxImports,
  suspendedWaiting,
} from "remora/sandbox";
import type { Clock } from "../clock.ts";
import { idVariable } from "../plugin/grants.ts";
import type { ServerPort } from "../server-port.ts";
import { GuestLink, nobody } from "./guest-link.ts";
import { type GuestHost, type GuestSettings, Holdings } from "./host.ts";
import type { SignalkGuest } from "./signalk-guest.ts";

export interface SessionOptions {
  readonly plugin: string;
  readonly artifact: Artifact;
  readonly limits: Limits;
  /** Behind which the guest lives. Default: none, it is on this thread. */
  readonly wall?: Isolation | undefined;
  /** On this thread. */
  readonly guestClock?: () => number;
  readonly grants: readonly Grant[];
  /** Under `fs.private`: the plugin's own root. */
  readonly privateFolder: string;
  /** Networks that a granted name may lead to though they are not public. */
  readonly networkAddresses: readonly string[];
  readonly server: ServerPort;
  readonly settings: GuestSettings;
  readonly audit: AuditSink;
  readonly log: GuestHost["log"];
  readonly ask: GuestHost["ask"];
  /** For subscriptions that have a period. */
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export interface Session {
  readonly guest: SignalkGuest;
  readonly sandbox: Sandbox;
  /** A call begins: what is bounded by the call is whole again. */
  beginCall(): void;
  /** Closes the guest, its sockets and files, and takes away what it registered. */
  close(): void;
}

/**
 * Makes a guest. Its start functions run, and nothing else of it.
 *
 * @throws policy/imports-refused it imports what is neither this host's nor granted
 * @throws signalk/not-a-plugin abi/… engine/… it is no plugin, or fails when it is made
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { plugin, grants } = options;
  const sandbox = sandboxImports({
    plugin,
    grants,
    audit: options.audit,
    nowMs: options.nowMs,
    environment: { [idVariable]: plugin },
    privateFolder: options.privateFolder,
    network: { addresses: options.networkAddresses },
    ...(waitsForNetwork(options) && { waiting: suspendedWaiting }),
    log: {
      write: ({ level, text }) => options.log(level === "warn" || level === "error" ? level : "debug", text),
    },
  });
  const holdings = new Holdings();
  holdings.add(() => sandbox.close());
  const { server, settings, log, ask } = options;
  const host: GuestHost = { plugin, server, sandbox, gate: sandbox.gate, settings, log, holdings, ask };
  try {
    const made = await instantiate(options, host);
    holdings.add(() => made.guest.close());
    return {
      guest: made.guest,
      sandbox,
      beginCall: () => made.own?.beginCall(),
      close: () => holdings.close(),
    };
  } catch (error) {
    holdings.close();
    throw error;
  }
}

/**
 * On this thread guests that can be put aside answer each call with a promise, so that only those are which have something
 * to wait for. Behind a wall it makes no difference.
 */
function waitsForNetwork({ artifact, grants, wall }: SessionOptions): boolean {
  if (wall !== undefined) return true;
  const given = grants.some(({ capability }) => capability === "net.http" || capability === "net.socket");
  return given && artifact.kind === "component";
}

async function instantiate(options: SessionOptions, host: GuestHost) {
  const { artifact, limits, grants, guestClock, wall } = options;
  const link = new GuestLink(host, options.clock);
  const hasFetch = grants.some(({ capability }) => capability === "net.http");
  const own = (access: GuestAccess, holder?: GuestHost) =>
    link.imports({ kind: artifact.kind, hasFetch }, access, holder);
  // A first look with host functions of nobody: what cannot be linked is told before anything runs.
  const linked = checkLinks(options, host, importNames(own(nobody, { ...host, holdings: new Holdings() })));
  let sandboxed: InstanceImports | undefined;
  host.holdings.add(() => sandboxed?.close());
  const given = {
    limits,
    imports: (access: GuestAccess) => {
      sandboxed = host.sandbox.forInstance(access);
      return { ...sandboxed.hostImports(linked), ...own(access) };
    },
  };
  if (wall !== undefined) {
    const instance = await wall.instantiate(artifact, given);
    return orClosed(instance, async () => ({
      own: sandboxed,
      guest: await link.openIsolated(instance, artifact.kind),
    }));
  }
  await artifact.prepare(limits);
  const instance = artifact.instantiate({ ...given, ...(guestClock && { clock: guestClock }) });
  return orClosed(instance, async () => ({ own: sandboxed, guest: link.open(instance) }));
}

async function orClosed<Result>(instance: { close(): void }, open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    instance.close();
    throw error;
  }
}

/** The imports that come out of the sandbox. @throws policy/imports-refused */
function checkLinks(
  { plugin, artifact, grants }: SessionOptions,
  host: GuestHost,
  hostFunctions: readonly string[],
) {
  const check = checkImports(artifact.imports, {
    plugin,
    hostFunctions,
    offers: host.sandbox.offers,
    grants,
  });
  if (check.kind === "refused") throw check.error;
  return check.linked.filter(({ capability }) => capability !== undefined).map(({ need }) => need);
}
