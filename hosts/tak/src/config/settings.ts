/** What a configuration file says, after it was checked: nothing in here refers to something that is not there. */

import type { Isolation, TrustRule } from "remora/bundle";
import type { Limits } from "remora/engine";
import type { Grant } from "remora/policy";
import type { Aggregation } from "../aggregate.ts";
import type { OnFailure } from "../chain/stage.ts";
import type { FilterSpec } from "../filters/spec.ts";
import type { Routing } from "../routes/route-table.ts";
import type { Json } from "./reader.ts";

export interface TakConfig {
  /** As given to `parseTakConfig`; relative paths in it are relative to its folder. */
  readonly file: string;
  readonly listeners: readonly ListenerSettings[];
  readonly servers: readonly ServerSettings[];
  /** What messages go through, in this order; disabled ones are left out. */
  readonly chain: readonly ChainEntry[];
  /** Undefined without routes: every message is for every connection. */
  readonly routing: Routing | undefined;
  readonly aggregation: Aggregation;
  readonly limits: StreamLimits;
  /** Folder of SRTM tiles, as written, for the plugins' questions about heights; undefined: none are known. */
  readonly elevation: string | undefined;
  /** Folder that plugin paths are relative to. */
  readonly pluginDir: string;
  /** Where the plugins' manager keeps what it knows, as written. */
  readonly managerFolder: string;
  /** The lowest level of trust that runs, for plugins that this file does not name. */
  readonly trust: TrustRule;
  /** A trust store, as written; undefined: nobody's signature is trusted. */
  readonly trustedKeys: string | undefined;
  /** Whether a plugin's file that changes is taken at once. */
  readonly hotReload: boolean;
  /** Capabilities that plugins can be given; all others are denied, whoever consents. */
  readonly grantable: ReadonlySet<string>;
  /** Enabled and disabled ones, filters before transformers. */
  readonly plugins: readonly PluginSettings[];
}

/** Waits for connections, or for datagrams. */
export interface ListenerSettings {
  readonly id: string;
  readonly enabled: boolean;
  readonly protocol: "tcp" | "tls" | "udp";
  readonly host: string;
  readonly port: number;
  /** At once; not for datagrams. */
  readonly connectionsMax: number;
  /** There for `tls`, and only then. */
  readonly tls: ListenerTls | undefined;
  /** Only for `udp`: the multicast group to join. */
  readonly multicastGroup: string | undefined;
}

/** Paths of PEM files. */
export interface ListenerTls {
  readonly certPath: string;
  readonly keyPath: string;
  /** Clients are asked for a certificate of this authority; when required, there is no connection without. */
  readonly clientAuth: { readonly required: boolean; readonly caPath: string } | undefined;
}

/** A TAK server that this host connects to, or an address that it sends datagrams to. */
export interface ServerSettings {
  readonly id: string;
  readonly enabled: boolean;
  readonly protocol: "tcp" | "tls" | "udp";
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls | undefined;
  readonly connectTimeoutMs: number;
  /** Undefined: it is not connected to again. */
  readonly reconnect: ReconnectSettings | undefined;
  /** Only for `udp`. */
  readonly multicastTtl: number | undefined;
}

/** Paths of PEM files. */
export interface ServerTls {
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
  /** Undefined: the authorities that Node knows. */
  readonly caPath: string | undefined;
  readonly isServerVerified: boolean;
  /** The name that the server's certificate must have; undefined: the host of the address. */
  readonly serverName: string | undefined;
}

export interface ReconnectSettings {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
  /** Infinity: it never gives up. */
  readonly attemptsMax: number;
}

export type ChainEntry =
  | {
      readonly kind: "native";
      readonly id: string;
      readonly filter: FilterSpec;
      readonly onFailure: OnFailure;
    }
  | { readonly kind: "plugin"; readonly id: string; readonly plugin: PluginSettings };

export interface PluginSettings {
  readonly id: string;
  readonly kind: "filter" | "transformer";
  /** As written; relative to `pluginDir`. */
  readonly path: string;
  readonly enabled: boolean;
  /** Undefined when the file says nothing. */
  readonly config: Json | undefined;
  readonly onFailure: OnFailure;
  readonly limits: Limits;
  /** The weakest that it gets; its bundle may ask for a stronger one. */
  readonly isolation: Isolation;
  /** What it may do beyond the host functions that every plugin has. */
  readonly grants: readonly Grant[];
  /** Whether a filter gets the event's whole XML, which costs as much as all its other fields together. */
  readonly givesXml: boolean;
}

/** What one peer can make this host hold. */
export interface StreamLimits {
  /** A larger event is refused. */
  readonly eventBytesMax: number;
  /** Bad events in a row before a connection is closed. */
  readonly badEventsMax: number;
  /** Bytes waiting for a peer that does not read; messages beyond are dropped for it. */
  readonly queueBytesMax: number;
}
