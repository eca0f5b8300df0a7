/**
 * The small Signal K server: a model, whoever listens to deltas, and what plugins registered. Sockets and HTTP are
 * other files; here nothing is open.
 */

import { type Clock, systemClock } from "./clock.ts";
import { Course, type CourseInfo } from "./course/course.ts";
import { courseDeltaV1, courseDeltaV2 } from "./course/course-deltas.ts";
import { InstrumentCourse } from "./course/instrument-course.ts";
import type { Delta, StampedDelta } from "./delta/delta.ts";
import type { Published } from "./delta/published.ts";
import { Publisher } from "./delta/publisher.ts";
import { stampForInput, stampForPlugin } from "./delta/sources.ts";
import { eventOf } from "./events/event-types.ts";
import { ServerEvents } from "./events/server-events.ts";
import { isOnEarth } from "./http/position.ts";
import { Listeners } from "./listeners.ts";
import { Model, type ModelLimits } from "./model/model.ts";
import { Notifications } from "./notifications/notifications.ts";
import { Autopilots } from "./providers/autopilots.ts";
import { ByPlugin } from "./providers/by-plugin.ts";
import { Resources } from "./providers/resources.ts";
import { PutRequests } from "./put/put-requests.ts";
import type { Position, RadarRegistration, ServerPort, WeatherRegistration } from "./server-port.ts";

export interface ServerOptions {
  /** `urn:mrn:signalk:uuid:…` or `urn:mrn:imo:mmsi:…` */
  readonly self: string;
  readonly clock?: Clock;
  readonly modelLimits?: Partial<ModelLimits>;
  /** Told of each course that is to be there after a restart. */
  readonly keepCourse?: (course: CourseInfo) => void;
  /** Told when instruments may set a course no longer, or again. */
  readonly keepApiOnly?: (isApiOnly: boolean) => void;
  /** Told when a plugin says how it is. */
  readonly onStatus?: (
    plugin: string,
    status: { readonly kind: "status" | "error"; readonly message: string },
  ) => void;
}

export class SignalkServer {
  readonly clock: Clock;
  readonly model: Model;
  readonly puts: PutRequests;
  readonly resources = new Resources();
  readonly weather = new ByPlugin<WeatherRegistration>();
  readonly autopilots = new Autopilots();
  readonly radars = new ByPlugin<RadarRegistration>();
  readonly binaryStreams = new Listeners<Uint8Array>();
  readonly events = new ServerEvents();
  readonly course: Course;
  readonly notifications: Notifications;
  /** What plugins reach of it. */
  readonly port: ServerPort;
  readonly #instruments: InstrumentCourse;
  readonly #publisher = new Publisher();
  #deltas = 0;

  constructor(options: ServerOptions) {
    this.clock = options.clock ?? systemClock;
    this.model = new Model(`vessels.${options.self}`, options.modelLimits);
    this.puts = new PutRequests(this.clock);
    this.port = this.#makePort(options);
    this.course = this.#makeCourse(options);
    this.#instruments = new InstrumentCourse(this.course, this.clock);
    this.notifications = this.#makeNotifications();
  }

  get deltaCount(): number {
    return this.#deltas;
  }

  /** Takes what a decoder made of what an instrument said. */
  input(delta: Delta, label: string): void {
    this.#publish(stampForInput(delta, label, this.model.contextOf(delta.context), this.clock.date()), 1);
  }

  onDelta(listen: (published: Published) => void): () => void {
    return this.#publisher.add(listen);
  }

  #publish(given: StampedDelta, version: 1 | 2): void {
    this.#send(version === 1 ? this.notifications.told(given) : given, version);
  }

  #send(delta: StampedDelta, version: 1 | 2): void {
    this.#deltas++;
    // Version 2 of the interfaces has a model of its own; what belongs there must not be mixed into this one.
    if (version === 1) this.model.apply(delta);
    this.#publisher.tell(delta, version);
    if (version === 1 && delta.context === this.model.selfContext) this.#instruments.hear(delta.updates);
  }

  #makeCourse({ keepCourse, keepApiOnly }: ServerOptions): Course {
    return new Course({
      position: () => this.#position(),
      resource: (type, id) => this.resources.get(type, id),
      date: () => this.clock.date(),
      onChange: (course, steeredBy) => {
        if (steeredBy === undefined) keepCourse?.(course);
        this.port.handleMessage("courseApi", courseDeltaV1(course), 1);
        const { selfContext } = this.model;
        const delta = stampForInput(
          courseDeltaV2(course, steeredBy),
          "courseApi",
          selfContext,
          this.clock.date(),
        );
        this.#publish(delta, 2);
      },
      onApiOnly: (isApiOnly) => keepApiOnly?.(isApiOnly),
    });
  }

  #makeNotifications(): Notifications {
    return new Notifications({
      selfContext: this.model.selfContext,
      position: () => this.#position(),
      date: () => this.clock.date(),
      publish: (delta) => this.#send(delta, 1),
    });
  }

  #position(): Position | undefined {
    const position = this.model.leaf("vessels.self", "navigation.position")?.value;
    return isOnEarth(position) ? position : undefined;
  }

  #makePort({ onStatus }: ServerOptions): ServerPort {
    const { model, puts, resources, weather, radars, binaryStreams } = this;
    return {
      selfContext: model.selfContext,
      handleMessage: (plugin, delta, version) =>
        this.#publish(
          stampForPlugin(delta, plugin, model.contextOf(delta.context), this.clock.date()),
          version,
        ),
      // One value is asked for most, and found without building a tree.
      selfPath: (path) =>
        model.leaf("vessels.self", path) ?? model.tree(["vessels", "self", ...path.split(".")]),
      path: (path) => model.tree(partsOf(path)),
      onDelta: (listen) => this.onDelta(listen),
      onEvent: (type, listen) => this.events.on(type, listen),
      emitEvent: (plugin, type, data) =>
        this.events.emit(eventOf({ plugin, type, data }, this.clock.epochMs())),
      registerPut: (registration) => puts.register(registration),
      registerResources: (registration) => resources.register(registration),
      registerWeather: (registration) => weather.register(registration),
      registerRadar: (registration) => radars.register(registration),
      registerAutopilot: (registration) => this.autopilots.register(registration),
      emitBinary: (stream, data) => binaryStreams.emit(stream, data),
      setStatus: (plugin, status) => onStatus?.(plugin, status),
    };
  }
}

/** `vessels.urn:mrn:imo:mmsi:230000000.navigation.position` in its parts: a vessel's name has no dots. */
function partsOf(path: string): string[] {
  return path === "" ? [] : path.split(".");
}
