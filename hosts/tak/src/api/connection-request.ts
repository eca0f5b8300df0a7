/** A connection as clients ask for it, by OmniTAK's names, and the settings that it stands for. */

import { isMulticast } from "../config/connections.ts";
import type { ListenerSettings, ReconnectSettings, ServerSettings } from "../config/settings.ts";
import type { EndpointSettings } from "../connections.ts";
import { type Fields, fieldsOf, flagOf, refused, textOf } from "./body.ts";

const types = ["tcpclient", "tcpserver", "tlsclient", "tlsserver", "multicast", "udp"] as const;
type ConnectionType = (typeof types)[number];

const known = [
  "name",
  "connection_type",
  "address",
  "port",
  "auto_reconnect",
  "tls_cert_path",
  "tls_key_path",
  "validate_certs",
];

/** As where the configuration says nothing. */
const reconnectDefault: ReconnectSettings = {
  initialDelayMs: 1_000,
  maxDelayMs: 300_000,
  factor: 2,
  attemptsMax: Number.POSITIVE_INFINITY,
};

/** @throws tak/api-request */
export function connectionRequestOf(body: unknown): EndpointSettings {
  const fields = fieldsOf(body);
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue;
    throw refused(`"${name.slice(0, 100)}" is no field of a connection: allowed are ${known.join(", ")}`);
  }
  const type = typeOf(fields.connection_type);
  const isTls = type.startsWith("tls");
  if (!isTls) refuseGiven(fields, ["tls_cert_path", "tls_key_path"], `of "${type}"`);
  const place = {
    id: nameOf(fields),
    enabled: true,
    host: addressOf(fields, type),
    port: portOf(fields.port),
  };
  const protocol = isTls ? "tls" : type.startsWith("tcp") ? "tcp" : "udp";
  return type.endsWith("server")
    ? { kind: "listener", settings: listenerOf(fields, { ...place, protocol }) }
    : { kind: "server", settings: serverOf(fields, { ...place, protocol }) };
}

type Place = Pick<ListenerSettings, "id" | "enabled" | "host" | "port" | "protocol">;

function listenerOf(fields: Fields, place: Place): ListenerSettings {
  const isTls = place.protocol === "tls";
  return {
    ...place,
    connectionsMax: 100,
    tls: isTls
      ? {
          certPath: pathOf(fields, "tls_cert_path"),
          keyPath: pathOf(fields, "tls_key_path"),
          clientAuth: undefined,
        }
      : undefined,
    multicastGroup: undefined,
  };
}

function serverOf(fields: Fields, place: Place): ServerSettings {
  const isTls = place.protocol === "tls";
  const hasCertificate = [fields.tls_cert_path, fields.tls_key_path].some(
    (path) => path !== undefined && path !== null,
  );
  const isVerified = flagOf(fields, "validate_certs", true);
  return {
    ...place,
    connectTimeoutMs: 10_000,
    reconnect: flagOf(fields, "auto_reconnect", true) ? reconnectDefault : undefined,
    multicastTtl: undefined,
    tls: isTls
      ? {
          certPath: hasCertificate ? pathOf(fields, "tls_cert_path") : undefined,
          keyPath: hasCertificate ? pathOf(fields, "tls_key_path") : undefined,
          caPath: undefined,
          isServerVerified: isVerified,
          serverName: undefined,
        }
      : undefined,
  };
}

function typeOf(value: unknown): ConnectionType {
  const type = types.find((one) => one === value);
  if (type === undefined) throw refused(`"connection_type" must be one of ${types.join(", ")}`);
  return type;
}

function nameOf(fields: Fields): string {
  const name = textOf(fields, "name", { max: 100 });
  // It stands in logs and on terminals, where such characters would write lines of their own.
  if (/\p{Cc}/u.test(name)) throw refused('"name" must not have control characters');
  return name;
}

function addressOf(fields: Fields, type: ConnectionType): string {
  const address = textOf(fields, "address", { max: 255 });
  if (/[\s/\p{Cc}]/u.test(address)) throw refused('"address" must be a name or an address, without a port');
  if ((type === "multicast") !== isMulticast(address) && (type === "multicast" || type === "udp")) {
    throw refused(
      `"connection_type" must be "multicast" for the address of a group, and "udp" for any other`,
    );
  }
  return address;
}

function portOf(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535)
    return value as number; // as just checked
  throw refused('"port" must be 1 to 65535');
}

/** Of a PEM file, relative to the configuration's folder. */
function pathOf(fields: Fields, name: string): string {
  const path = textOf(fields, name, { max: 500 });
  if (path.includes("\0")) throw refused(`"${name}" must name a file`);
  return path;
}

function refuseGiven(fields: Fields, names: readonly string[], what: string): void {
  for (const name of names) {
    if (fields[name] !== undefined && fields[name] !== null) throw refused(`"${name}" is no field ${what}`);
  }
}
