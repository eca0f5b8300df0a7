/** A connection as clients ask for it, by OmniTAK's names, and the settings that it stands for. */

import { isMulticast } from "../config/connections.ts";
import type { ListenerSettings, ReconnectSettings, ServerSettings } from "../config/settings.ts";
import type { EndpointSettings } from "../connections.ts";
import {
  type Field,
  fileName,
  flag,
  oneOf,
  optional,
  type Read,
  readAs,
  refused,
  refuseUnknown,
  schemaOf,
  text,
  whole,
} from "./body.ts";

const types = ["tcpclient", "tcpserver", "tlsclient", "tlsserver", "multicast", "udp"] as const;

const endpointName: Field<string> = {
  schema: { type: "string", minLength: 1, maxLength: 100 },
  read(value, field) {
    const name = text({ max: 100 }).read(value, field);
    // It stands in logs and on terminals, where such characters would write lines of their own.
    if (/\p{Cc}/u.test(name)) throw refused(`"${field}" must not have control characters`);
    return name;
  },
};

const shape = {
  name: endpointName,
  connection_type: oneOf(...types),
  address: text({ max: 255 }),
  port: whole({ min: 1, max: 65_535 }),
  auto_reconnect: optional(flag),
  // PEM, relative to the configuration's folder.
  tls_cert_path: optional(fileName),
  tls_key_path: optional(fileName),
  validate_certs: optional(flag),
};

export const connectionSchema = schemaOf(shape, { isClosed: true });

type Asked = Read<typeof shape>;

/** As where the configuration says nothing. */
const reconnectDefault: ReconnectSettings = {
  initialDelayMs: 1_000,
  maxDelayMs: 300_000,
  factor: 2,
  attemptsMax: Number.POSITIVE_INFINITY,
};

/** @throws tak/api-request */
export function connectionRequestOf(body: unknown): EndpointSettings {
  refuseUnknown(shape, body, "a connection");
  const fields = readAs(shape, body);
  const type = fields.connection_type;
  const isTls = type.startsWith("tls");
  if (!isTls) refuseGiven(fields, ["tls_cert_path", "tls_key_path"], `of "${type}"`);
  const place = {
    id: fields.name,
    enabled: true,
    host: addressOf(fields),
    port: fields.port,
  };
  const protocol = isTls ? "tls" : type.startsWith("tcp") ? "tcp" : "udp";
  return type.endsWith("server")
    ? { kind: "listener", settings: listenerOf(fields, { ...place, protocol }) }
    : { kind: "server", settings: serverOf(fields, { ...place, protocol }) };
}

type Place = Pick<ListenerSettings, "id" | "enabled" | "host" | "port" | "protocol">;

function listenerOf(fields: Asked, place: Place): ListenerSettings {
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

function serverOf(fields: Asked, place: Place): ServerSettings {
  const isTls = place.protocol === "tls";
  const hasCertificate = fields.tls_cert_path !== undefined || fields.tls_key_path !== undefined;
  const { auto_reconnect: isReconnected = true, validate_certs: isVerified = true } = fields;
  return {
    ...place,
    connectTimeoutMs: 10_000,
    reconnect: isReconnected ? reconnectDefault : undefined,
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

function addressOf({ address, connection_type: type }: Asked): string {
  if (/[\s/\p{Cc}]/u.test(address)) throw refused('"address" must be a name or an address, without a port');
  if ((type === "multicast") !== isMulticast(address) && (type === "multicast" || type === "udp")) {
    throw refused(
      `"connection_type" must be "multicast" for the address of a group, and "udp" for any other`,
    );
  }
  return address;
}

function pathOf(fields: Asked, name: "tls_cert_path" | "tls_key_path"): string {
  const path = fields[name];
  if (path === undefined) throw refused(`"${name}" must name a file`);
  return path;
}

function refuseGiven(fields: Asked, names: readonly (keyof Asked)[], what: string): void {
  for (const name of names) {
    if (fields[name] !== undefined) throw refused(`"${name}" is no field ${what}`);
  }
}
