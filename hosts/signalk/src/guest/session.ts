/**
 * One live guest with all that is its own: the sandbox that it runs in, its host functions, what it registered. When
 * the session is closed nothing of it is left, whatever state the guest was in.
 */

import { Asyncify, asFetchImports, asFetchModule, GuestBytes, openTextGuest } from "remora/abi";
import {
  type Artifact,
  type GuestAccess,
  type HostImports,
  importNames,
  type Limits,
  ModuleInstance,
} from "remora/engine";
import { checkImports, type Grant } from "remora/policy";
import { type AuditSink, type InstanceImports, type Sandbox, sandboxImports } from "remora/sandbox";
import type { Clock } from "../clock.ts";
import type { ServerPort } from "../server-port.ts";
import { componentGuest } from "./component-guest.ts";
import { coreGuest } from "./core-guest.ts";
import { envImports } from "./env-imports.ts";
import { fetchFor } from "./fetch.ts";
import { type GuestHost, type GuestSettings, Holdings } from "./host.ts";
import { Inbox } from "./inbox.ts";
import type { SignalkGuest } from "./signalk-guest.ts";
import { worldImports } from "./world-imports.ts";

export interface SessionOptions {
  readonly plugin: string;
  readonly artifact: Artifact;
  readonly limits: Limits;
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
export function openSession(options: SessionOptions): Session {
  const { plugin, grants } = options;
  const sandbox = sandboxImports({
    plugin,
    grants,
    audit: options.audit,
    nowMs: options.nowMs,
    environment: { PLUGIN_ID: plugin },
    privateFolder: options.privateFolder,
    network: { addresses: options.networkAddresses },
    log: {
      write: ({ level, text }) => options.log(level === "warn" || level === "error" ? level : "debug", text),
    },
  });
  const holdings = new Holdings();
  holdings.add(() => sandbox.close());
  const { server, settings, log, ask } = options;
  const host: GuestHost = { plugin, server, sandbox, gate: sandbox.gate, settings, log, holdings, ask };
  try {
    const made = instantiate(options, host);
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

function instantiate(options: SessionOptions, host: GuestHost) {
  const { plugin, artifact, limits, grants, guestClock } = options;
  const asyncify = new Asyncify();
  const inbox = new Inbox(host, options.clock);
  const own = (holder: GuestHost, access: GuestAccess) =>
    artifact.kind === "component"
      ? worldImports(holder, inbox)
      : hostModules(holder, access, asyncify, grants);
  // A first look with host functions of nobody: what cannot be linked is told before anything runs.
  const linked = checkLinks(options, host, own);
  let sandboxed: InstanceImports | undefined;
  const instance = artifact.instantiate({
    limits,
    ...(guestClock !== undefined && { clock: guestClock }),
    imports: (access) => {
      sandboxed = host.sandbox.forInstance(access);
      return { ...sandboxed.hostImports(linked), ...own(host, access) };
    },
  });
  if (sandboxed !== undefined) host.holdings.add(() => sandboxed?.close());
  try {
    const guest =
      instance instanceof ModuleInstance
        ? coreGuest(plugin, instance, openTextGuest(instance, asyncify))
        : componentGuest(plugin, instance, inbox);
    return { own: sandboxed, guest };
  } catch (error) {
    instance.close();
    throw error;
  }
}

/** The imports that come out of the sandbox. @throws policy/imports-refused */
function checkLinks(
  { plugin, artifact, grants }: SessionOptions,
  host: GuestHost,
  own: (holder: GuestHost, access: GuestAccess) => HostImports,
) {
  const nobody: GuestAccess = {
    memory: { view: () => new Uint8Array(0) },
    abort: (error) => {
      throw error;
    },
  };
  const check = checkImports(artifact.imports, {
    plugin,
    hostFunctions: importNames(own({ ...host, holdings: new Holdings() }, nobody)),
    offers: host.sandbox.offers,
    grants,
  });
  if (check.kind === "refused") throw check.error;
  return check.linked.filter(({ capability }) => capability !== undefined).map(({ need }) => need);
}

/** `env`, and `as-fetch` for a plugin that was given the network. */
function hostModules(
  host: GuestHost,
  access: GuestAccess,
  asyncify: Asyncify,
  grants: readonly Grant[],
): HostImports {
  const bytes = new GuestBytes(access.memory);
  const env = envImports({ host, bytes, abort: (error) => access.abort(error) });
  if (!grants.some(({ capability }) => capability === "net.http")) return { env };
  const send = (request: Parameters<typeof fetchFor>[1]) => fetchFor(host, request);
  return { env, [asFetchModule]: asFetchImports({ asyncify, memory: access.memory, send }) };
}
