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
  WireForm,
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
    // Port 0 is any free port, and TCP and UDP have ports of their own.
    if (enabled && bind.port !== 0 && address !== undefined) {
      taken.addresses.claim(`${protocol === "udp" ? "udp" : "tcp"} ${bind.host}:${bind.port}`, address);
    }
    notForUdp(section, protocol, "max_connections");
    return {
      id: readId(section, taken.ids),
      enabled,
      protocol,
      ...bind,
      form: readForm(section),
      connectionsMax: section.readOr("max_connections", (at) => at.integer({ min: 1, max: 100_000 }), 100),
      tls: tlsOf(section, protocol, readListenerTls),
      multicast: readMulticast(section, protocol),
    };
  });
}

export function readServer(value: Value, taken: Taken): ServerSettings {
  return value.section((section) => {
    const protocol = section.read("protocol", readServerProtocol, "tcp");
    notForUdp(section, protocol, "connect_timeout_secs", "reconnect", "auto_reconnect", "reconnect_delay_ms");
    section.readOr("connect_timeout_secs", only(10, "a try to connect ends after ten seconds"), undefined);
    section.refuse(
      "read_timeout_secs",
      'Not available for one server: "max_idle_secs" in "limits" is for all',
    );
    section.refuse("tags", "Not available: tags have no meaning in this host");
    const address = readAddress(section);
    const ttl = section.get("multicast_ttl");
    // Told at the protocol already where OmniTAK's own name for it is used.
    if (section.get("protocol")?.json() !== "multicast") {
      if (protocol === "udp" && isMulticast(address.host)) section.at.problem(multicastIsAListener);
      else ttl?.problemOfKey(multicastIsAListener);
    }
    return {
      id: readId(section, taken.ids, section.spelling("id", "name")),
      enabled: section.readOr("enabled", (at) => at.boolean(), true),
      protocol,
      ...address,
      form: readForm(section),
      tls: tlsOf(section, protocol, readServerTls),
      reconnect: readReconnect(section),
    };
  });
}

const nowhere = { host: "", port: 0 };

const multicastIsAListener =
  'Written here as a listener with the protocol "udp", "multicast_group" and "multicast_ttl", which also sends';

function isMulticast(host: string): boolean {
  const first = Number(host.split(".")[0]);
  return (isIP(host) === 4 && first >= 224 && first <= 239) || (isIP(host) === 6 && /^ff/i.test(host));
}

function readForm(section: Section): WireForm {
  return section.readOr("format", (at) => at.oneOf(["negotiate", "xml", "protobuf"]), "negotiate");
}

function readMulticast(section: Section, protocol: string): ListenerSettings["multicast"] {
  const [group, ttl] = [section.get("multicast_group"), section.get("multicast_ttl")];
  if (protocol !== "udp") {
    for (const value of [group, ttl]) value?.problemOfKey('Has a meaning for "udp" alone');
    return undefined;
  }
  if (group === undefined) {
    ttl?.problemOfKey('Has a meaning with "multicast_group" alone');
    return undefined;
  }
  const address = group.text({ lengthMax: 64 });
  if (!isMulticast(address)) group.problem(`Must be a multicast address, found "${address}"`);
  return { group: address, ttl: ttl?.integer({ min: 0, max: 255 }) ?? 1 };
}

/** For a setting that OmniTAK has and that has one value here: another one is refused, and why. */
function only(allowed: number | boolean, reason: string): (value: Value) => void {
  return (value) => {
    const written = value.json();
    if (written !== allowed) value.problem(`Must be ${allowed}: ${reason}`);
  };
}

function readServerProtocol(value: Value): ServerSettings["protocol"] {
  switch (value.json()) {
    case "websocket":
      value.problem("WebSocket is not available yet");
      return "tcp";
    case "multicast":
      value.problem(multicastIsAListener);
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

function notForUdp(section: Section, protocol: string, ...keys: readonly string[]): void {
  if (protocol !== "udp") return;
  for (const key of keys) section.refuse(key, "Has no meaning for datagrams, which have no connections");
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
    clientCaPath: section.readOr("client_auth", (value) => value.section(readClientAuth), undefined),
  };
}

function readClientAuth(section: Section): string | undefined {
  const isRequired = section.readOr("required", (at) => at.boolean(), false);
  if (isRequired) return section.read("ca_path", path, "");
  section.refuse(
    "ca_path",
    'Has a meaning with "required: true" alone: a certificate is required or not asked for',
  );
  return undefined;
}

function readServerTls(section: Section): ServerTls {
  const certPath = section.readOr(section.spelling("cert_path", "client_cert_path"), path, undefined);
  const keyPath = section.readOr(section.spelling("key_path", "client_key_path"), path, undefined);
  if ((certPath === undefined) !== (keyPath === undefined)) {
    section.at.problem("A certificate and its key go together: one of the two paths is missing");
  }
  const verify = section.spelling("verify_server", "validate_certs", "verify_cert");
  section.readOr(verify, only(true, "a server that is not verified could be anybody"), undefined);
  return {
    certPath,
    keyPath,
    caPath: section.readOr(section.spelling("ca_path", "ca_cert_path"), path, undefined),
    serverName: section.readOr("server_name", (at) => at.text({ lengthMax: 253 }), undefined),
  };
}

/** `reconnect:` with its settings, or `auto_reconnect` and `reconnect_delay_ms` beside it. */
function readReconnect(section: Section): ReconnectSettings {
  const isAlways = only(true, "a connection is tried again until the host ends, or the server is disabled");
  section.readOr("auto_reconnect", isAlways, undefined);
  const delay = section.readOr("reconnect_delay_ms", (at) => at.integer({ min: 10, max: hourMs }), 500);
  const maxMs = Math.max(60_000, delay);
  const value = section.get("reconnect");
  if (value === undefined) return { firstMs: delay, maxMs };
  return value.section((own) => {
    own.readOr("auto_reconnect", isAlways, undefined);
    own.readOr("backoff_multiplier", only(2, "each wait is twice the one before"), undefined);
    own.readOr(
      "max_attempts",
      (at) => {
        if (at.json() !== null) at.problem("Must be null: there is no last try");
      },
      undefined,
    );
    const firstMs = own.readOr(
      "initial_delay_secs",
      (at) => at.durationMs({ minMs: 10, maxMs: hourMs }),
      delay,
    );
    const most = { minMs: 10, maxMs: 24 * hourMs };
    const longestMs = own.readOr("max_delay_secs", (at) => at.durationMs(most), Math.max(maxMs, firstMs));
    if (longestMs < firstMs) {
      own.get("max_delay_secs")?.problem(`Must be at least initial_delay_secs, which is ${firstMs} ms`);
    }
    return { firstMs, maxMs: longestMs };
  });
}
