// Types of the world remora:signalk/subscribing-plugin@0.1.0, written by `remora types`. Changes here are lost.

export type SubscribingPlugin = {
  readonly "remora:signalk/subscriber@0.1.0": Subscriber;
  readonly subscriber: Subscriber;
  /** Every plugin has this. */
  readonly "remora:signalk/lifecycle@0.1.0": Lifecycle;
  /** Every plugin has this. */
  readonly lifecycle: Lifecycle;
};

export type SubscribingPluginImports = {
  /** The model: what the boat knows. Takes `data.read` and `data.write` for each path. */
  readonly "remora:signalk/deltas@0.1.0": Deltas;
  /** What to be told of (Signal K 1.7, "Subscription protocol"); `subscriber` gets it. Takes `data.read` for the pattern. */
  readonly "remora:signalk/subscriptions@0.1.0": Subscriptions;
  /** Takes `data.write` for the path. */
  readonly "remora:signalk/notifications@0.1.0": Notifications;
  /** The plugin's own settings, as JSON. */
  readonly "remora:signalk/settings@0.1.0": Settings;
  /** What the operator reads. */
  readonly "remora:signalk/status@0.1.0": Status;
  /** Makes a path one that `command-handler` answers a PUT of. Takes `control.put` for the path. */
  readonly "remora:signalk/commands@0.1.0": Commands;
  /** Makes the plugin a provider; its export of that name answers. Takes `provider.register` for the kind. */
  readonly "remora:signalk/providers@0.1.0": Providers;
};

export interface Subscriber {
  /** What was subscribed to, as it comes. */
  onUpdates(updates: readonly Subscriber.Update[]): void;
}

export declare namespace Subscriber {
  export type PathValue = Types.PathValue;

  export interface Update {
    context: string;
    source: string;
    /** ISO 8601. */
    timestamp: string;
    values: readonly PathValue[];
    meta: readonly PathValue[];
  }
}

/** Every plugin has this. */
export interface Lifecycle {
  name(): string;
  /** JSON Schema of its settings; empty for none. */
  schema(): string;
  /**
   * With its settings as JSON. An error is what the operator reads.
   *
   * @throws {ComponentError} with the payload `string`
   */
  start(settings: string): void;
  stop(): void;
}

/** What deltas are made of (Signal K 1.7, "Data model"). */
export declare namespace Types {
  /** Null, a list or an object, as text. */
  export type Json = string;

  /** In SI units; angles in radians. */
  export type Value =
    | { tag: "number"; val: number }
    | { tag: "text"; val: string }
    | { tag: "boolean"; val: boolean }
    | { tag: "json"; val: Json };

  export interface PathValue {
    /** `navigation.speedOverGround` */
    path: string;
    value: Value;
  }

  export interface Position {
    /** Degrees, north. */
    latitude: number;
    /** Degrees, east. */
    longitude: number;
  }

  /** Why the host did not do it. */
  export type Refusal =
    /** Not granted to this plugin for this path or kind. */
    | "denied"
    /** It is no path, no pattern, no delta. */
    | "malformed"
    /** The plugin holds as many as it may. */
    | "full";
}

/** The model: what the boat knows. Takes `data.read` and `data.write` for each path. */
export interface Deltas {
  /**
   * Values of a context: `vessels.self`. The server adds who said it, and when. What was denied is left out.
   *
   * @throws {ComponentError} with the payload `Deltas.Refusal`
   */
  emit(context: string, values: readonly Deltas.PathValue[], version: Deltas.Version): void;
  /**
   * What paths mean: units, zones, names, each as JSON.
   *
   * @throws {ComponentError} with the payload `Deltas.Refusal`
   */
  emitMeta(context: string, meta: readonly Deltas.PathValue[]): void;
  /**
   * The last value of a path of this vessel.
   *
   * @throws {ComponentError} with the payload `Deltas.Refusal`
   */
  getSelf(path: string): Deltas.Value | undefined;
  /**
   * The same for a path that begins with a context.
   *
   * @throws {ComponentError} with the payload `Deltas.Refusal`
   */
  get(path: string): Deltas.Value | undefined;
}

export declare namespace Deltas {
  export type PathValue = Types.PathValue;

  export type Refusal = Types.Refusal;

  export type Value = Types.Value;

  /** Where a value is to be seen. */
  export type Version =
    /** In the full model and in version 1 of the interfaces. */
    | "v1"
    /** For version 2 alone. */
    | "v2";
}

/** What to be told of (Signal K 1.7, "Subscription protocol"); `subscriber` gets it. Takes `data.read` for the pattern. */
export interface Subscriptions {
  /** @throws {ComponentError} with the payload `Subscriptions.Refusal` */
  subscribe(subscription: Subscriptions.Subscription): void;
  /** As they were subscribed to; `*` and `*` for all. */
  unsubscribe(context: string, path: string): void;
}

export declare namespace Subscriptions {
  export type Refusal = Types.Refusal;

  export type Policy =
    /** Each change, at most one in the smallest period. */
    | "instant"
    /** The same, and the last value again when a period went by without one. */
    | "ideal"
    /** The last value, once a period. */
    | "fixed";

  export interface Subscription {
    /** `vessels.self`, or a pattern: `vessels.*`. */
    context: string;
    /** A path or a pattern: `navigation.*`. */
    path: string;
    policy: Policy;
    /** Milliseconds; at least 50. */
    period: number;
    /** Milliseconds; 0 for no bound. */
    minPeriod: number;
  }
}

/** Takes `data.write` for the path. */
export interface Notifications {
  /**
   * The path with or without `notifications.` before it.
   *
   * @throws {ComponentError} with the payload `Notifications.Refusal`
   */
  publish(path: string, state: Notifications.State, method: Notifications.Method, message: string): void;
}

export declare namespace Notifications {
  export type Refusal = Types.Refusal;

  export type State = "normal" | "nominal" | "alert" | "warn" | "alarm" | "emergency";

  export interface Method {
    visual?: boolean;
    sound?: boolean;
  }
}

/** The plugin's own settings, as JSON. */
export interface Settings {
  read(): string;
  /** False when they cannot be kept. */
  save(settings: string): boolean;
}

/** What the operator reads. */
export interface Status {
  setStatus(message: string): void;
  setError(message: string): void;
  /** Takes `log.write`. Shown while the operator debugs the plugin. */
  debug(message: string): void;
}

/** Makes a path one that `command-handler` answers a PUT of. Takes `control.put` for the path. */
export interface Commands {
  /** @throws {ComponentError} with the payload `Commands.Refusal` */
  register(context: string, path: string): void;
}

export declare namespace Commands {
  export type Refusal = Types.Refusal;
}

/** Makes the plugin a provider; its export of that name answers. Takes `provider.register` for the kind. */
export interface Providers {
  /**
   * `routes`, `waypoints`, or a kind of its own.
   *
   * @throws {ComponentError} with the payload `Providers.Refusal`
   */
  provideResources(kind: string): void;
  /** @throws {ComponentError} with the payload `Providers.Refusal` */
  provideWeather(name: string): void;
  /** @throws {ComponentError} with the payload `Providers.Refusal` */
  provideRadar(name: string): void;
  /**
   * By the names of its devices.
   *
   * @throws {ComponentError} with the payload `Providers.Refusal`
   */
  provideAutopilot(devices: readonly string[]): void;
  /**
   * A sweep of a radar, for those who listen to its stream.
   *
   * @throws {ComponentError} with the payload `Providers.Refusal`
   */
  emitSpokes(radar: string, data: Uint8Array): void;
}

export declare namespace Providers {
  export type Refusal = Types.Refusal;
}
