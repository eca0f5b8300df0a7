/**
 * Reads `listeners` and `servers`. OmniTAK has two spellings for a server (`id`, `address` in one of its
 * programs; `name`, `host`, `port` in another); both are understood.
 */

import { isIP } from "node:net";
import { type Ids, readId } from "./ids.ts";
import type { Section, Value } from "./reader.ts";
import type {
  ListenerSettings,
  ListenerTls,
  ReconnectSettings,
  ServerSettings,
  ServerTls,
} from "./settings.ts";

const protocols = ["tcp", "tls", "udp"] as const;
const hourMs = 3_600_000;

/** What must not be taken twice among all connections. */
export interface Taken {
  readonly ids: Ids;
  readonly addresses: Ids;
}

export function readListener(value: Value, taken: Taken): ListenerSettings {
  return value.section((section) => {
    const protocol = section.read("protocol", (at) => at.oneOf(protocols), "tcp");
    const enabled = section.readOr("enabled", (at) => at.boolean(), true);
    const bind = section.read("bind_addr", (at) => addressOf(at, { portMin: 0 }), nowhere);
    const address = section.get("bind_addr");
    notForUdp(section, protocol, "max_connections");
    // Port 0 is any free port, and TCP and UDP have ports of their own.
    if (enabled && bind.port !== 0 && address !== undefined) {
      taken.addresses.claim(`${protocol === "udp" ? "udp" : "tcp"} ${bind.host}:${bind.port}`, address);
    }
    return {
      id: readId(section, taken.ids),
      enabled,
      protocol,
      ...bind,
      connectionsMax: section.readOr("max_connections", (at) => at.integer({ min: 1, max: 100_000 }), 100),
      tls: tlsOf(section, protocol, readListenerTls),
      multicastGroup: onlyForUdp(section, "multicast_group", protocol, multicastAddress),
    };
  });
}

export function readServer(value: Value, taken: Taken): ServerSettings {
  return value.section((section) => {
    const protocol = section.read("protocol", readServerProtocol, "tcp");
    notForUdp(section, protocol, "connect_timeout_secs", "reconnect", "auto_reconnect", "reconnect_delay_ms");
    section.refuse("read_timeout_secs", "Not available yet: a connection may be silent");
    section.refuse("tags", "Not available: tags have no meaning in this host");
    const address = readAddress(section);
    if (
      section.get("protocol")?.json() === "multicast" &&
      address.host !== "" &&
      !isMulticast(address.host)
    ) {
      (section.get("address") ?? section.at).problem(`Must be a multicast address, found "${address.host}"`);
    }
    return {
      id: readId(section, taken.ids, section.spelling("id", "name")),
      enabled: section.readOr("enabled", (at) => at.boolean(), true),
      protocol,
      ...address,
      tls: tlsOf(section, protocol, readServerTls),
      connectTimeoutMs: section.readOr(
        "connect_timeout_secs",
        (at) => at.durationMs({ minMs: 10, maxMs: hourMs }),
        10_000,
      ),
      reconnect: readReconnect(section),
      multicastTtl: onlyForUdp(section, "multicast_ttl", protocol, (at) => at.integer({ min: 0, max: 255 })),
    };
  });
}

const nowhere = { host: "", port: 0 };

function readServerProtocol(value: Value): ServerSettings["protocol"] {
  switch (value.json()) {
    case "websocket":
      value.problem("WebSocket is not available yet");
      return "tcp";
    // OmniTAK's name for datagrams to a group.
    case "multicast":
      return "udp";
    default:
      return value.oneOf(protocols);
  }
}

function readAddress(section: Section): { host: string; port: number } {
  const host = section.get("host");
  const port = section.get("port");
  if (host === undefined && port === undefined) {
    return section.read("address", (at) => addressOf(at, { portMin: 1 }), nowhere);
  }
  section.refuse("address", 'Says the same as "host" and "port"; keep one of them');
  return {
    host: section.read("host", (at) => at.text({ lengthMax: 253 }), ""),
    port: section.read("port", (at) => at.integer({ min: 1, max: 65_535 }), 0),
  };
}

/** `name:port`, `1.2.3.4:port` or `[::1]:port`. */
function addressOf(value: Value, { portMin }: { portMin: number }): { host: string; port: number } {
  const text = value.text({ lengthMax: 300 });
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || !(port >= portMin && port <= 65_535)) {
    if (text !== "") value.problem(`Must be host:port with a port from ${portMin} to 65535, found "${text}"`);
    return nowhere;
  }
  return { host: match[1] ?? match[2] ?? "", port };
}

function onlyForUdp<Result>(
  section: Section,
  key: string,
  protocol: string,
  read: (value: Value) => Result,
): Result | undefined {
  const value = section.get(key);
  if (value !== undefined && protocol !== "udp") value.problemOfKey(`Has a meaning for "udp" alone`);
  return value === undefined ? undefined : read(value);
}

function notForUdp(section: Section, protocol: string, ...keys: readonly string[]): void {
  if (protocol !== "udp") return;
  for (const key of keys) section.refuse(key, "Has no meaning for datagrams, which have no connections");
}

function multicastAddress(value: Value): string {
  const text = value.text({ lengthMax: 64 });
  if (text !== "" && !isMulticast(text)) value.problem(`Must be a multicast address, found "${text}"`);
  return text;
}

/** IPv4 224.0.0.0/4 (RFC 5771) and IPv6 ff00::/8 (RFC 4291 §2.7). */
export function isMulticast(host: string): boolean {
  const first = Number(host.split(".")[0]);
  return (isIP(host) === 4 && first >= 224 && first <= 239) || (isIP(host) === 6 && /^ff/i.test(host));
}

function tlsOf<Tls>(section: Section, protocol: string, read: (section: Section) => Tls): Tls | undefined {
  const value = section.get("tls");
  if (protocol !== "tls") {
    value?.problemOfKey(`Has a meaning for "tls" alone, and the protocol is "${protocol}"`);
    return undefined;
  }
  return section.read<Tls | undefined>("tls", (at) => at.section(read), undefined);
}

function path(value: Value): string {
  return value.text({ lengthMax: 4_096 });
}

function readListenerTls(section: Section): ListenerTls {
  return {
    certPath: section.read("cert_path", path, ""),
    keyPath: section.read("key_path", path, ""),
    clientAuth: section.readOr(
      "client_auth",
      (value) =>
        value.section((auth) => ({
          required: auth.readOr("required", (at) => at.boolean(), false),
          caPath: auth.read("ca_path", path, ""),
        })),
      undefined,
    ),
  };
}

function readServerTls(section: Section): ServerTls {
  const certPath = section.readOr(section.spelling("cert_path", "client_cert_path"), path, undefined);
  const keyPath = section.readOr(section.spelling("key_path", "client_key_path"), path, undefined);
  if ((certPath === undefined) !== (keyPath === undefined)) {
    section.at.problem("A certificate and its key go together: one of the two paths is missing");
  }
  return {
    certPath,
    keyPath,
    caPath: section.readOr(section.spelling("ca_path", "ca_cert_path"), path, undefined),
    isServerVerified: section.readOr(
      section.spelling("verify_server", "validate_certs", "verify_cert"),
      (at) => at.boolean(),
      true,
    ),
    serverName: section.readOr("server_name", (at) => at.text({ lengthMax: 253 }), undefined),
  };
}

/** `reconnect:` with its five settings, or `auto_reconnect` and `reconnect_delay_ms` beside it. */
function readReconnect(section: Section): ReconnectSettings | undefined {
  const isAuto = section.readOr("auto_reconnect", (at) => at.boolean(), true);
  const delayMs = section.readOr("reconnect_delay_ms", (at) => at.integer({ min: 10, max: hourMs }), 1_000);
  const read = (at: Section): ReconnectSettings | undefined => {
    const isOn = at.readOr("auto_reconnect", (value) => value.boolean(), isAuto);
    const initialDelayMs = at.readOr(
      "initial_delay_secs",
      (value) => value.durationMs({ minMs: 10, maxMs: hourMs }),
      delayMs,
    );
    const maxDelayMs = at.readOr(
      "max_delay_secs",
      (value) => value.durationMs({ minMs: 10, maxMs: 24 * hourMs }),
      Math.max(300_000, initialDelayMs),
    );
    if (maxDelayMs < initialDelayMs) {
      at.get("max_delay_secs")?.problem(`Must be at least initial_delay_secs, which is ${initialDelayMs} ms`);
    }
    const factor = at.readOr("backoff_multiplier", (value) => value.number({ min: 1, max: 100 }), 2);
    const attemptsMax = at.readOr("max_attempts", attempts, Number.POSITIVE_INFINITY);
    return isOn ? { initialDelayMs, maxDelayMs, factor, attemptsMax } : undefined;
  };
  const value = section.get("reconnect");
  if (value !== undefined) return value.section(read);
  const maxDelayMs = Math.max(300_000, delayMs);
  return isAuto
    ? { initialDelayMs: delayMs, maxDelayMs, factor: 2, attemptsMax: Number.POSITIVE_INFINITY }
    : undefined;
}

/** `null` is OmniTAK's way to write "without end". */
function attempts(value: Value): number {
  return value.json() === null ? Number.POSITIVE_INFINITY : value.integer({ min: 0, max: 1_000_000 });
}
