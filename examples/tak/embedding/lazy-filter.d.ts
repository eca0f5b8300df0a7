// Types of the world remora:tak/lazy-filter@0.1.0, written by `remora types`. Changes here are lost.

/** A filter that reads the fields that it wants. */
export type LazyFilter = {
  /** Decides which messages go on, one at a time. */
  readonly "remora:tak/lazy@0.1.0": Lazy;
  /** Decides which messages go on, one at a time. */
  readonly lazy: Lazy;
};

export type LazyFilterImports = {
  /** What a plugin may ask of its host. */
  readonly "omnitak:plugin/host@0.1.0": Host;
  /** Messages, which stay with the host. */
  readonly "remora:tak/messages@0.1.0": Messages;
};

/** Decides which messages go on, one at a time. */
export interface Lazy {
  /** Decides about one message. */
  evaluate(msg: Lazy.Message): Lazy.FilterResult;
  /** Says in a sentence what the filter does. */
  describe(): string;
  /** Says who made the filter, and which version it is. */
  getMetadata(): Lazy.FilterMetadata;
}

export declare namespace Lazy {
  export type FilterResult = Types.FilterResult;

  export type FilterMetadata = Types.FilterMetadata;

  export type Message = Messages.Message;
}

/** What a plugin may ask of its host. */
export interface Host {
  /** Writes a line to the host's log. */
  log(level: Host.LogLevel, message: string): void;
  /** The time of day, in milliseconds since 1970, UTC. */
  getCurrentTimeMs(): bigint;
  /** Metres of the ground above the ellipsoid at a position; none where the host knows no elevation. */
  queryElevation(lat: number, lon: number): number | undefined;
}

export declare namespace Host {
  /** How much a line of the log matters. */
  export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";
}

/** Messages, which stay with the host. */
export interface Messages {
  /** One Cursor-on-Target event. It is lent for one call and reads the same throughout. */
  readonly Message: Messages.Message | Messages.MessageClass;
}

export declare namespace Messages {
  /** One Cursor-on-Target event. It is lent for one call and reads the same throughout. */
  export interface Message {
    /** Type atoms, `a-f-G-E-V`. */
    cotType(): string;
    /** Names the entity; later events with the same name are about the same entity. */
    uid(): string;
    /** How the position was made, `m-g`; empty where the event does not say. */
    how(): string;
    /** Degrees north, WGS 84. */
    lat(): number;
    /** Degrees east, WGS 84. */
    lon(): number;
    /** Metres above the ellipsoid; none where unknown. */
    hae(): number | undefined;
    /** Circular error of the position in metres; none where unknown. */
    ce(): number | undefined;
    /** Error of the height in metres; none where unknown. */
    le(): number | undefined;
    /** When the event was made, ISO 8601. */
    time(): string;
    /** The same in milliseconds since 1970, UTC. */
    timeMs(): bigint;
    /** When the event stops being true, in milliseconds since 1970, UTC. */
    staleMs(): bigint;
    /** What people call the entity. This and the next two parse the event's detail when first read. */
    callsign(): string | undefined;
    /** The group that the entity belongs to. */
    group(): string | undefined;
    /** The colour of its team, `Cyan`. */
    team(): string | undefined;
    /** The whole event as XML; none where the host does not hand it out. */
    xmlPayload(): string | undefined;
    [Symbol.dispose]?(): void;
  }

  export type MessageClass = abstract new (...args: never[]) => Message;
}

/** What the shapes share: as in `omnitak:plugin/filter`, so that a filter changes its shape and not its values. */
export declare namespace Types {
  /** One Cursor-on-Target event, with all that a filter may look at. */
  export interface CotMessage {
    /** Type atoms, `a-f-G-E-V`. */
    cotType: string;
    /** Names the entity; later events with the same name are about the same entity. */
    uid: string;
    /** What people call the entity. */
    callsign?: string | undefined;
    /** The group that the entity belongs to. */
    group?: string | undefined;
    /** The colour of its team, `Cyan`. */
    team?: string | undefined;
    /** Degrees north, WGS 84. */
    lat: number;
    /** Degrees east, WGS 84. */
    lon: number;
    /** Metres above the ellipsoid; none where unknown. */
    hae?: number | undefined;
    /** When the event was made, ISO 8601. */
    time: string;
    /** The whole event as XML; none where the host does not hand it out. */
    xmlPayload?: string | undefined;
  }

  /** What becomes of a message. */
  export type FilterResult =
    /** It goes on. */
    | "pass"
    /** It ends here. */
    | "block";

  /** What a filter says about itself. */
  export interface FilterMetadata {
    id: string;
    name: string;
    version: string;
    author: string;
    description: string;
    /** The longest that one evaluation should take, in microseconds; the host's own limits stand. */
    maxExecutionTimeUs: bigint;
  }
}
