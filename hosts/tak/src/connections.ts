/**
 * The configured listeners and servers, opened and tied to the host: what they receive it accepts, and they are
 * where it sends to.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { RemoraError } from "remora/base";
import type {
  ListenerSettings,
  ListenerTls,
  ServerSettings,
  ServerTls,
  TakConfig,
} from "./config/settings.ts";
import { cotLimits } from "./cot/limits.ts";
import { Endpoint } from "./endpoint.ts";
import { reasonOf, takErrors } from "./errors.ts";
import type { TakHost } from "./host.ts";
import type { ConnectionHandlers } from "./net/connection.ts";
import { Mesh } from "./net/mesh.ts";
import { StreamClient, type StreamClientHandlers } from "./net/stream-client.ts";
import type { StreamOptions } from "./net/stream-connection.ts";
import { StreamServer, type StreamServerHandlers } from "./net/stream-server.ts";

/** Where what happens on the connections is told, a line each. */
export type Tell = (level: "info" | "warn", line: string) => void;

export interface Connections {
  /** What is listened to, `tcp 127.0.0.1:8087`; with the ports that were really bound. */
  readonly listening: readonly { readonly id: string; readonly name: string; readonly port: number }[];
  /** All that the configuration names and does not disable. */
  readonly endpoints: readonly Endpoint[];
  /** Open at this moment, meshes included. */
  readonly openCount: number;
  close(): Promise<void>;
}

interface Closable {
  close(): Promise<void> | void;
}

/**
 * Opens what the configuration names and does not disable.
 *
 * @throws tak/listen-failed an address is taken or not ours
 * @throws tak/tls-file      a certificate or key cannot be read
 */
export async function openConnections(config: TakConfig, host: TakHost, tell: Tell): Promise<Connections> {
  const { eventBytesMax, badEventsMax, queueBytesMax } = config.limits;
  const stream = {
    queuedBytesMax: queueBytesMax,
    limits: cotLimits({ eventBytesMax, badEventsMax }),
  };
  const opening: Opening = { config, host, tell, stream, endpoints: [], failures: new Failures(tell) };
  const closables: Closable[] = [];
  const listening: { id: string; name: string; port: number }[] = [];
  try {
    for (const listener of config.listeners) {
      if (!listener.enabled) continue;
      const opened = await listen(listener, opening);
      closables.push(opened);
      listening.push({ id: listener.id, name: opened.name, port: opened.port });
    }
    for (const server of config.servers) {
      if (server.enabled) closables.push(await connect(server, opening));
    }
  } catch (error) {
    await closeAll(closables);
    throw error;
  }
  return {
    listening,
    endpoints: opening.endpoints,
    get openCount() {
      return opening.endpoints.reduce((sum, { openCount }) => sum + openCount, 0);
    },
    close: () => closeAll(closables),
  };
}

interface Opening {
  readonly config: TakConfig;
  readonly host: TakHost;
  readonly tell: Tell;
  readonly stream: Partial<StreamOptions>;
  readonly endpoints: Endpoint[];
  readonly failures: Failures;
}

async function closeAll(closables: readonly Closable[]): Promise<void> {
  await Promise.all(closables.map((each) => each.close()));
}

async function listen(settings: ListenerSettings, opening: Opening) {
  const { host, port, connectionsMax, multicastGroup } = settings;
  const handlers = handlersFor(new Endpoint("listener", settings), opening);
  if (settings.protocol === "udp") {
    const group = multicastGroup === undefined ? {} : { group: { address: multicastGroup } };
    return await Mesh.open({ host, port, ...group, ...meshLimits(opening) }, handlers);
  }
  const tls = settings.tls && (await listenerTls(settings.tls, opening));
  return await StreamServer.listen(
    { host, port, connectionsMax, ...opening.stream, ...(tls && { tls }) },
    handlers,
  );
}

async function connect(settings: ServerSettings, opening: Opening): Promise<Closable> {
  const { host, port, connectTimeoutMs, reconnect } = settings;
  const handlers = handlersFor(new Endpoint("server", settings), opening);
  if (settings.protocol === "udp") {
    const ttl = settings.multicastTtl;
    const isGroup = isMulticast(host);
    return await Mesh.open(
      {
        port: isGroup ? port : 0,
        ...(isGroup
          ? { group: { address: host, ...(ttl !== undefined && { ttl }) } }
          : { destinations: [{ host, port }] }),
        ...meshLimits(opening),
      },
      handlers,
    );
  }
  const tls = settings.tls && (await serverTls(settings.tls, opening));
  return StreamClient.start(
    {
      host,
      port,
      connectMsMax: connectTimeoutMs,
      ...opening.stream,
      ...(tls && { tls }),
      backOff:
        reconnect === undefined
          ? "never"
          : {
              firstMs: reconnect.initialDelayMs,
              maxMs: reconnect.maxDelayMs,
              factor: reconnect.factor,
              triesMax: reconnect.attemptsMax,
            },
    },
    handlers,
  );
}

function meshLimits({ stream }: Opening) {
  return {
    ...(stream.limits && { limits: stream.limits }),
    ...(stream.queuedBytesMax !== undefined && { queuedBytesMax: stream.queuedBytesMax }),
  };
}

/** IPv4 224.0.0.0/4 (RFC 5771) and IPv6 ff00::/8 (RFC 4291 §2.7). */
function isMulticast(host: string): boolean {
  const first = Number(/^(\d{1,3})\./.exec(host)?.[1] ?? 0);
  return (first >= 224 && first <= 239) || /^ff[0-9a-f]{2}:/i.test(host);
}

function handlersFor(
  endpoint: Endpoint,
  { host, endpoints, tell, failures }: Opening,
): ConnectionHandlers & StreamServerHandlers & StreamClientHandlers {
  const { id } = endpoint.settings;
  endpoints.push(endpoint);
  return {
    onOpen(connection) {
      endpoint.opened(connection);
      host.addOutlet(id, connection);
      tell("info", `${connection.name} is connected`);
    },
    onMessage: (message, connection) => host.accept(message, connection),
    onBadEvent: (error, connection) => failures.tell(connection.name, error),
    onClose(connection, error) {
      endpoint.closed(connection, error);
      host.removeOutlet(id, connection);
      if (error === undefined) tell("info", `${connection.name} has left`);
      else tell("warn", `${connection.name} was closed: ${error.code}: ${error.message}`);
    },
    onRefused: (error) => failures.tell(id, error),
    onConnectFailed(error) {
      endpoint.failed(error);
      tell("warn", `${error.code}: ${error.message}`);
    },
  };
}

/** Peers choose how often something fails, so each source is told once a second at most, with the number left out. */
class Failures {
  readonly #tell: Tell;
  readonly #sources = new Map<string, { atMs: number; left: number }>();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  tell(source: string, error: RemoraError): void {
    const nowMs = performance.now();
    const known = this.#sources.get(source);
    if (known !== undefined && nowMs - known.atMs < 1_000) {
      known.left++;
      return;
    }
    const left = known === undefined || known.left === 0 ? "" : ` (and ${known.left} more)`;
    this.#tell("warn", `${source}: ${error.code}: ${error.message}${left}`);
    // Names carry ports, and there is no end of them.
    if (this.#sources.size >= 1_024) this.#sources.clear();
    this.#sources.set(source, { atMs: nowMs, left: 0 });
  }
}

async function listenerTls(tls: ListenerTls, opening: Opening) {
  const { clientAuth } = tls;
  return {
    key: await readPem(tls.keyPath, opening),
    cert: await readPem(tls.certPath, opening),
    ...(clientAuth && {
      ca: await readPem(clientAuth.caPath, opening),
      isClientRequired: clientAuth.required,
    }),
  };
}

async function serverTls(tls: ServerTls, opening: Opening) {
  const { certPath, keyPath, caPath, serverName, isServerVerified } = tls;
  return {
    isServerVerified,
    ...(caPath !== undefined && { ca: await readPem(caPath, opening) }),
    ...(keyPath !== undefined && { key: await readPem(keyPath, opening) }),
    ...(certPath !== undefined && { cert: await readPem(certPath, opening) }),
    ...(serverName !== undefined && { serverName }),
  };
}

async function readPem(path: string, { config }: Opening): Promise<Buffer> {
  const whole = resolve(dirname(config.file), path);
  try {
    return await readFile(whole);
  } catch (cause) {
    throw takErrors["tls-file"]({ path: whole, reason: reasonOf(cause) }, cause);
  }
}
