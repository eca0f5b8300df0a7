/**
 * What a plugin reaches of a Signal K server. The small server of this package is one; the real signalk-server,
 * behind its plugin interface, is the other.
 */

import type { Delta } from "./delta/delta.ts";
import type { Published } from "./delta/published.ts";
import type { ServerEvent } from "./events/event-types.ts";

export interface ServerPort {
  /** `vessels.urn:mrn:signalk:uuid:…` */
  readonly selfContext: string;
  /** Takes a plugin's delta: the server says where it came from and when. */
  handleMessage(plugin: string, delta: Delta, version: 1 | 2): void;
  /** What the full model has at a path of this vessel: a value with its source and time. */
  selfPath(path: string): unknown;
  /** The same for a path that begins with a context. */
  path(path: string): unknown;
  /** Every delta, from whoever it came. Gives back what ends it. */
  onDelta(listen: (published: Published) => void): () => void;
  /** Events beside deltas, of one type. Gives back what ends it. */
  onEvent(type: string, listen: (event: ServerEvent) => void): () => void;
  /** Tells others; `type` is one that a plugin may emit. */
  emitEvent(plugin: string, type: string, data: unknown): void;
  /** Gives back what takes the handler away. */
  registerPut(registration: PutRegistration): () => void;
  registerResources(registration: ResourceRegistration): () => void;
  registerWeather(registration: WeatherRegistration): () => void;
  registerRadar(registration: RadarRegistration): () => void;
  registerAutopilot(registration: AutopilotRegistration): () => void;
  /** Bytes for those who listen to a stream. */
  emitBinary(stream: string, data: Uint8Array): void;
  /** A line for the operator; an error is shown as one. */
  setStatus(plugin: string, status: { readonly kind: "status" | "error"; readonly message: string }): void;
}

export interface PutResult {
  readonly state: "COMPLETED" | "PENDING";
  readonly statusCode: number;
  readonly message?: string;
}

export interface PutRegistration {
  readonly plugin: string;
  readonly context: string;
  readonly path: string;
  readonly handle: (value: unknown) => Promise<PutResult>;
}

export interface ResourceRegistration {
  readonly plugin: string;
  /** `routes`, `waypoints`, or a kind of its own. */
  readonly type: string;
  readonly list: (query: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>;
  /** Rejects when there is none. */
  readonly get: (id: string, property: string | undefined) => Promise<unknown>;
  readonly set: (id: string, value: unknown) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
}

export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

export interface WeatherRegistration {
  readonly plugin: string;
  readonly name: string;
  /** Each answers with a list. */
  readonly observations: (position: Position, options: unknown) => Promise<unknown>;
  readonly forecasts: (position: Position, type: "daily" | "point", options: unknown) => Promise<unknown>;
  readonly warnings: (position: Position) => Promise<unknown>;
}

export interface RadarRegistration {
  readonly plugin: string;
  readonly name: string;
  /**
   * Asks the plugin, by the name that its export has without `radar_`: `get_radars`, `set_power`.
   *
   * @returns undefined when the plugin has no such export
   */
  readonly ask: (name: string, request: Readonly<Record<string, unknown>>) => Promise<unknown> | undefined;
}

export interface AutopilotRegistration {
  readonly plugin: string;
  /** What it steers with, by names of its own. */
  readonly devices: readonly string[];
  /**
   * Asks the plugin, by the name that its export has without `autopilot_`: `get_data`, `set_target`. Rejects when it
   * refuses, or has no such export.
   */
  readonly ask: (name: string, request: Readonly<Record<string, unknown>>) => Promise<unknown>;
}
