/**
 * Listeners and servers, opened and tied to the host: what they receive it accepts, and they are where it sends to. Those
 * of the configuration are there for good; others come, change and go while the host runs, and no message is lost for it:
 * what served goes on until what follows it is there.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isRemoraError, type RemoraError } from "remora/base";
import { isMulticast } from "./config/connections.ts";
import type {
  ListenerSettings,
  ListenerTls,
  ServerSettings,
  ServerTls,
  TakConfig,
} from "./config/settings.ts";
import { cotLimits } from "./cot/limits.ts";
import { added, Endpoint, type EndpointCounts, noCounts } from "./endpoint.ts";
import { reasonOf, takErrors } from "./errors.ts";
import type { TakHost } from "./host.ts";
import type { Connection, ConnectionHandlers } from "./net/connection.ts";
import { Mesh } from "./net/mesh.ts";
import { StreamClient, type StreamClientHandlers } from "./net/stream-client.ts";
import type { StreamOptions } from "./net/stream-connection.ts";
import { StreamServer, type StreamServerHandlers } from "./net/stream-server.ts";

/** Where what happens on the connections is told, a line each. */
export type Tell = (level: "info" | "warn", line: string) => void;

/** A listener or a server, as a configuration has it. */
export type EndpointSettings =
  | { readonly kind: "listener"; readonly settings: ListenerSettings }
  | { readonly kind: "server"; readonly settings: ServerSettings };

export interface Connections {
  /** What is listened to, `tcp 127.0.0.1:8087`; with the ports that were really bound. */
  readonly listening: readonly { readonly id: string; readonly name: string; readonly port: number }[];
  /** All that the configuration names and does not disable, and those that were added. */
  readonly endpoints: readonly Endpoint[];
  /** Open at this moment, meshes included. */
  readonly openCount: number;
  /** Of all endpoints that there ever were, so that it never goes down. */
  counts(): EndpointCounts;
  /**
   * Opens one more, which gets every message, whatever the routes of the configuration say.
   *
   * @throws tak/listen-failed tak/tls-file nothing was added
   */
  add(opened: EndpointSettings): Promise<Endpoint>;
  /** As `add`, for what was added before a restart: one that cannot be opened is there all the same, with its failure. */
  addAgain(opened: EndpointSettings): Promise<void>;
  /**
   * Changes one that was added. Who is connected to a listener stays; a server is left when the next one is connected.
   *
   * @throws tak/listen-failed tak/tls-file it is as before
   */
  change(endpoint: Endpoint, next: EndpointSettings): Promise<void>;
  /** Removes one that was added: what waits is written, and what was sent by then is read. */
  remove(endpoint: Endpoint): Promise<void>;
  close(): Promise<void>;
}

/** What was opened for an endpoint: the newest, and those before it until nobody is connected over them. */
interface Part {
  /** Of a listener. */
  readonly bound?: { readonly name: string; readonly port: number };
  /** Nothing comes over it any more. */
  isEmpty(): boolean;
  /** Another one takes its place: a listener keeps who is connected, a server is left. */
  retire(): void;
  /** Ends it, when what waits is written and what was sent is read. */
  close(): Promise<void> | void;
}

interface Opened {
  readonly endpoint: Endpoint;
  newest: Part | undefined;
  readonly parts: Set<Part>;
}

interface Opening {
  readonly config: TakConfig;
  readonly host: TakHost;
  readonly tell: Tell;
  readonly stream: Partial<StreamOptions>;
  readonly failures: Failures;
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
  const connections = new OpenConnections({ config, host, tell, stream, failures: new Failures(tell) });
  const named: EndpointSettings[] = [
    ...config.listeners.map((settings) => ({ kind: "listener" as const, settings })),
    ...config.servers.map((settings) => ({ kind: "server" as const, settings })),
  ];
  try {
    for (const one of named) if (one.settings.enabled) await connections.open(one, { isAdded: false });
  } catch (error) {
    await connections.close();
    throw error;
  }
  return connections;
}

class OpenConnections implements Connections {
  readonly #opening: Opening;
  readonly #opened: Opened[] = [];
  /** Removed, while what waits is written. */
  readonly #leaving = new Set<Opened>();
  #past = noCounts;

  constructor(opening: Opening) {
    this.#opening = opening;
  }

  get listening() {
    return this.#opened.flatMap(({ endpoint, newest }) =>
      newest?.bound === undefined ? [] : [{ id: endpoint.settings.id, ...newest.bound }],
    );
  }

  get endpoints(): readonly Endpoint[] {
    return this.#opened.map(({ endpoint }) => endpoint);
  }

  get openCount(): number {
    return this.#opened.reduce((sum, { endpoint }) => sum + endpoint.openCount, 0);
  }

  counts(): EndpointCounts {
    const there = [...this.#opened, ...this.#leaving];
    return there.reduce((sum, { endpoint }) => added(sum, endpoint.counts()), this.#past);
  }

  async open(
    { kind, settings }: EndpointSettings,
    { isAdded }: { readonly isAdded: boolean },
  ): Promise<Endpoint> {
    const endpoint = new Endpoint(kind, settings, isAdded);
    const opened: Opened = { endpoint, newest: undefined, parts: new Set() };
    await this.#openPart(opened, { kind, settings } as EndpointSettings); // the two halves of one
    this.#opened.push(opened);
    return endpoint;
  }

  add(opened: EndpointSettings): Promise<Endpoint> {
    return this.open(opened, { isAdded: true });
  }

  async addAgain(opened: EndpointSettings): Promise<void> {
    try {
      await this.add(opened);
    } catch (error) {
      if (!isRemoraError(error)) throw error;
      const endpoint = new Endpoint(opened.kind, opened.settings, true);
      endpoint.notOpened(error);
      this.#opened.push({ endpoint, newest: undefined, parts: new Set() });
      this.#opening.tell("warn", `${error.code}: ${error.message}`);
    }
  }

  async change(endpoint: Endpoint, next: EndpointSettings): Promise<void> {
    const opened = this.#of(endpoint);
    const before = opened.newest;
    const isSamePort = next.kind === "listener" && before?.bound?.port === next.settings.port;
    // Two cannot listen at one port; those that are connected do not notice.
    if (isSamePort) before?.retire();
    try {
      await this.#openPart(opened, next);
    } catch (error) {
      // The port was ours a moment ago, and is again.
      if (isSamePort)
        await this.#openPart(opened, {
          kind: endpoint.kind,
          settings: endpoint.settings,
        } as EndpointSettings); // as it was made
      throw error;
    }
    endpoint.changed(next.settings);
  }

  async remove(endpoint: Endpoint): Promise<void> {
    const opened = this.#of(endpoint);
    this.#opened.splice(this.#opened.indexOf(opened), 1);
    this.#leaving.add(opened);
    try {
      await Promise.all(Array.from(opened.parts, (part) => part.close()));
    } finally {
      this.#leaving.delete(opened);
      this.#past = added(this.#past, endpoint.counts());
    }
  }

  async close(): Promise<void> {
    const parts = this.#opened.flatMap((opened) => [...opened.parts]);
    await Promise.all(parts.map((part) => part.close()));
  }

  #of(endpoint: Endpoint): Opened {
    const opened = this.#opened.find((one) => one.endpoint === endpoint);
    if (opened === undefined) throw takErrors["no-such-connection"]({ id: endpoint.settings.id });
    return opened;
  }

  /** Opens the newest part; the one before it retires as soon as this one can serve. */
  async #openPart(opened: Opened, { kind, settings }: EndpointSettings): Promise<void> {
    const { newest: before, parts, endpoint } = opened;
    const retire = () => before?.retire();
    const part =
      kind === "listener"
        ? await listen(settings, this.#opening, handlersFor(endpoint, this.#opening))
        : await connect(settings, this.#opening, handlersFor(endpoint, this.#opening, retire));
    for (const old of parts) if (old !== before && old.isEmpty()) parts.delete(old);
    parts.add(part);
    opened.newest = part;
    if (kind === "listener" || before?.isEmpty() === true) retire();
  }
}

async function listen(settings: ListenerSettings, opening: Opening, handlers: Handlers): Promise<Part> {
  const { host, port, connectionsMax, multicastGroup } = settings;
  if (settings.protocol === "udp") {
    const group = multicastGroup === undefined ? {} : { group: { address: multicastGroup } };
    const mesh = await Mesh.open({ host, port, ...group, ...meshLimits(opening) }, handlers);
    return meshPart(mesh, opening, settings.id);
  }
  const tls = settings.tls && (await listenerTls(settings.tls, opening));
  const server = await StreamServer.listen(
    { host, port, connectionsMax, ...opening.stream, ...(tls && { tls }) },
    handlers,
  );
  return {
    bound: server,
    isEmpty: () => server.connections.size === 0,
    retire: () => server.stopListening(),
    close: () => server.close(),
  };
}

function meshPart(mesh: Mesh, { host }: Opening, id: string): Part {
  return {
    bound: mesh,
    isEmpty: () => !mesh.isOpen,
    retire() {
      host.removeOutlet(id, mesh);
      mesh.close();
    },
    close: () => mesh.closed(),
  };
}

async function connect(settings: ServerSettings, opening: Opening, handlers: Handlers): Promise<Part> {
  const { id, host, port, connectTimeoutMs, reconnect } = settings;
  if (settings.protocol === "udp") {
    const ttl = settings.multicastTtl;
    const isGroup = isMulticast(host);
    const mesh = await Mesh.open(
      {
        port: isGroup ? port : 0,
        ...(isGroup
          ? { group: { address: host, ...(ttl !== undefined && { ttl }) } }
          : { destinations: [{ host, port }] }),
        ...meshLimits(opening),
      },
      handlers,
    );
    // Nobody comes to it.
    const { bound: _, ...part } = meshPart(mesh, opening, id);
    return part;
  }
  const tls = settings.tls && (await serverTls(settings.tls, opening));
  const client = StreamClient.start(
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
  return {
    isEmpty: () => client.connection === undefined,
    retire() {
      if (client.connection !== undefined) opening.host.removeOutlet(id, client.connection);
      void client.close();
    },
    close: () => client.close(),
  };
}

function meshLimits({ stream }: Opening) {
  return {
    ...(stream.limits && { limits: stream.limits }),
    ...(stream.queuedBytesMax !== undefined && { queuedBytesMax: stream.queuedBytesMax }),
  };
}

type Handlers = ConnectionHandlers & StreamServerHandlers & StreamClientHandlers;

/** @param onOpen Called with each connection, when messages go over it already. */
function handlersFor(
  endpoint: Endpoint,
  { host, tell, failures }: Opening,
  onOpen: () => void = () => {},
): Handlers {
  const { id } = endpoint.settings;
  return {
    onOpen(connection: Connection) {
      endpoint.opened(connection);
      host.addOutlet(id, connection, { isForAll: endpoint.isAdded });
      onOpen();
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
