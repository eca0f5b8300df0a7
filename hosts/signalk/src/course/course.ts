/**
 * Where the vessel is going: to a place, to a waypoint, or along a route. It is set by version 2 of the interfaces or by
 * an instrument, and told by deltas of both versions (signalk-server, "Course API").
 */

import { isRecord } from "../delta/delta.ts";
import { isOnEarth } from "../http/position.ts";
import { Refusal } from "../refusal.ts";
import type { Position } from "../server-port.ts";
import {
  boundedIndex,
  type CoursePosition,
  pointOf,
  type RoutePoints,
  readRoute,
  readWaypoint,
} from "./route-points.ts";

export interface CoursePoint {
  readonly type: string;
  readonly position: CoursePosition;
  readonly name?: string;
  /** Of the waypoint that it is. */
  readonly href?: string;
}

export interface ActiveRoute {
  readonly href: string;
  readonly name: string | undefined;
  readonly reverse: boolean;
  /** In the direction in which it is followed. */
  readonly pointIndex: number;
  readonly pointTotal: number;
}

export interface CourseInfo {
  /** ISO 8601, both. */
  readonly startTime: string | null;
  readonly targetArrivalTime: string | null;
  /** Metres. */
  readonly arrivalCircle: number;
  readonly activeRoute: ActiveRoute | null;
  readonly nextPoint: CoursePoint | null;
  readonly previousPoint: CoursePoint | null;
}

export interface CourseOptions {
  readonly position: () => Position | undefined;
  /** Rejects, or gives undefined, when there is none. */
  readonly resource: (type: string, id: string) => Promise<unknown>;
  readonly date: () => Date;
  /** Told when it is another, with the `$source` of the instrument that steers, if one does: it says it again by itself. */
  readonly onChange: (course: CourseInfo, steeredBy: string | undefined) => void;
  /** Told when instruments may set one no longer, or again. */
  readonly onApiOnly: (isApiOnly: boolean) => void;
}

/** What is there again after a restart. */
export interface KeptCourse {
  readonly course: CourseInfo | undefined;
  readonly isApiOnly: boolean;
}

const invalid = "Invalid Data supplied.";
const noPosition = "Error: Unable to retrieve vessel position!";

const noCourse: CourseInfo = {
  startTime: null,
  targetArrivalTime: null,
  arrivalCircle: 0,
  activeRoute: null,
  nextPoint: null,
  previousPoint: null,
};

export class Course {
  readonly #options: CourseOptions;
  #info = noCourse;
  /** Who set the destination: the interface, or an instrument by its `$source`. */
  #setBy: { readonly kind: "api" } | { readonly kind: "instrument"; readonly source: string } | undefined;
  /** Whether no instrument may set one. */
  #isApiOnly = false;

  constructor(options: CourseOptions) {
    this.#options = options;
  }

  get info(): CourseInfo {
    return this.#info;
  }

  get isSetByApi(): boolean {
    return this.#setBy?.kind === "api";
  }

  /** The instrument that has set the destination, by its `$source`. */
  get steeredBy(): string | undefined {
    return this.#setBy?.kind === "instrument" ? this.#setBy.source : undefined;
  }

  get isApiOnly(): boolean {
    return this.#isApiOnly;
  }

  /** One that an instrument has set ends with this. */
  setApiOnly(isApiOnly: boolean): void {
    this.#isApiOnly = isApiOnly;
    this.#options.onApiOnly(isApiOnly);
    if (isApiOnly && !this.isSetByApi) this.clear();
  }

  /** What was kept: a course as the interface had set it. */
  restore({ course, isApiOnly }: KeptCourse): void {
    this.#isApiOnly = isApiOnly;
    if (course === undefined) return;
    this.#setBy = { kind: "api" };
    this.#change(course);
  }

  /** Where it is now, where anybody knows. */
  get vessel(): Position | undefined {
    return this.#options.position();
  }

  /** An instrument steers for a place. @throws Refusal nobody knows where the vessel is */
  steer(instrument: string, position: Position): void {
    const nextPoint = { type: "Location", position: plain(position), name: "DP" };
    const previousPoint = this.#vessel();
    this.#setBy = { kind: "instrument", source: instrument };
    this.#begin(undefined, { activeRoute: null, nextPoint, previousPoint });
  }

  /** The instrument's track is another than ours: it begins there, now. */
  rebase(position: Position): void {
    const previousPoint = { type: "VesselPosition", position: plain(position), name: "VP" };
    this.#begin(undefined, { activeRoute: null, previousPoint });
  }

  /** Where the instrument says that its track begins. */
  comeFrom(position: Position): void {
    const name = this.#info.previousPoint?.name ?? "WP0";
    this.#change({ previousPoint: { type: "RoutePoint", position: plain(position), name } });
  }

  /** @param destination `{position}` or `{href}` of a waypoint, with `arrivalCircle` or without. @throws Refusal */
  async setDestination(destination: unknown): Promise<void> {
    const { href, position, arrivalCircle } = isRecord(destination) ? destination : {};
    let nextPoint: CoursePoint;
    if (href !== undefined) nextPoint = await this.#waypoint(href);
    else if (position === undefined) throw new Refusal("Destination not provided!");
    else if (isOnEarth(position)) nextPoint = { type: "Location", position: plain(position), name: "DP" };
    else throw new Refusal("Error: position is not valid");
    const previousPoint = this.#vessel();
    this.#setBy = { kind: "api" };
    this.#begin(arrivalCircle, { activeRoute: null, nextPoint, previousPoint });
  }

  /** @param wanted `{href, reverse?, pointIndex?, arrivalCircle?}` @throws Refusal */
  async activateRoute(wanted: unknown): Promise<void> {
    const { href, reverse, pointIndex, arrivalCircle } = isRecord(wanted) ? wanted : {};
    if (typeof href !== "string") throw new Refusal("Route information not supplied!");
    const route = await this.#route(href);
    const activeRoute = {
      href,
      name: route.name,
      reverse: reverse === true,
      pointIndex: boundedIndex(pointIndex, route),
      pointTotal: route.positions.length,
    };
    const leg = this.#leg(activeRoute, route);
    this.#setBy = { kind: "api" };
    this.#begin(arrivalCircle, leg);
  }

  /** @throws Refusal */
  async changeRoute(action: string, request: unknown): Promise<void> {
    const { activeRoute } = this.#info;
    if (activeRoute === null) throw new Refusal(invalid);
    const route = await this.#route(activeRoute.href);
    const current = { ...activeRoute, pointTotal: route.positions.length };
    this.#change(this.#leg(this.#moved(current, route, action, request), route));
  }

  /** @throws Refusal */
  restart(): void {
    if (this.#info.nextPoint === null) throw new Refusal("No active destination!");
    const position = this.#options.position();
    if (position === undefined) throw new Refusal("Vessel position unavailable!");
    this.#change({ previousPoint: { type: "VesselPosition", position: plain(position) } });
  }

  /** @throws Refusal */
  setArrivalCircle(metres: unknown): void {
    if (!isRadius(metres)) throw new Refusal(invalid);
    this.#change({ arrivalCircle: metres });
  }

  /** @throws Refusal */
  setTargetArrivalTime(time: unknown): void {
    if (time !== null && !isTime(time)) throw new Refusal(invalid);
    this.#change({ targetArrivalTime: time });
  }

  clear(): void {
    this.#setBy = undefined;
    this.#change({ ...noCourse, arrivalCircle: this.#info.arrivalCircle });
  }

  #moved(active: ActiveRoute, route: RoutePoints, action: string, request: unknown): ActiveRoute {
    const { value, pointIndex } = isRecord(request) ? request : {};
    switch (action) {
      case "nextPoint": {
        const steps = typeof value === "number" && value !== 0 ? value : 1;
        return { ...active, pointIndex: boundedIndex(active.pointIndex + steps, route) };
      }
      case "pointIndex":
        if (typeof value !== "number") throw new Refusal(invalid);
        return { ...active, pointIndex: boundedIndex(value, route) };
      case "reverse": {
        const opposite =
          typeof pointIndex === "number" ? pointIndex : active.pointTotal - 1 - active.pointIndex;
        return { ...active, reverse: !active.reverse, pointIndex: boundedIndex(opposite, route) };
      }
      case "refresh":
        return { ...active, pointIndex: this.#indexOfNext(active, route) };
      default:
        throw new Refusal(invalid);
    }
  }

  /** Where the point that is steered for is now, in a route that has changed. */
  #indexOfNext({ reverse, pointIndex }: ActiveRoute, route: RoutePoints): number {
    const next = this.#info.nextPoint?.position;
    const found = route.positions.findIndex(
      ({ latitude, longitude }) => latitude === next?.latitude && longitude === next.longitude,
    );
    if (found < 0) return boundedIndex(pointIndex, route);
    return reverse ? route.positions.length - 1 - found : found;
  }

  /** From the point before, or from where the vessel is, to the next. */
  #leg(activeRoute: ActiveRoute, route: RoutePoints): Partial<CourseInfo> {
    const { pointIndex, reverse } = activeRoute;
    const nextPoint = pointOf(route, pointIndex, reverse);
    const previousPoint = pointOf(route, pointIndex - 1, reverse) ?? this.#vessel();
    return { activeRoute, nextPoint: nextPoint ?? null, previousPoint };
  }

  #vessel(): CoursePoint {
    const position = this.#options.position();
    if (position === undefined) throw new Refusal(noPosition);
    return { type: "VesselPosition", position: plain(position), name: "VP" };
  }

  async #waypoint(href: unknown): Promise<CoursePoint> {
    const found = resourceOf(href);
    if (found === undefined) throw new Refusal(`Invalid href! (${String(href)})`);
    const waypoint = readWaypoint(await this.#resource(found));
    if (waypoint === undefined) throw new Refusal(`Error retrieving and validating ${String(href)}`);
    return { ...waypoint, href: String(href) };
  }

  async #route(href: string): Promise<RoutePoints> {
    const found = resourceOf(href);
    const data = found && (await this.#resource(found));
    if (data === undefined) throw new Refusal(`** Could not retrieve route information for ${href}`);
    const route = readRoute(data);
    if (route === undefined) throw new Refusal(`Invalid route coordinate data! (${href})`);
    return route;
  }

  /** A provider that fails has nothing; its failure shows in its own state. */
  async #resource({ type, id }: { readonly type: string; readonly id: string }): Promise<unknown> {
    return this.#options.resource(type, id).catch(() => undefined);
  }

  #begin(arrivalCircle: unknown, course: Partial<CourseInfo>): void {
    const startTime = this.#options.date().toISOString();
    this.#change({ ...course, startTime, ...(isRadius(arrivalCircle) && { arrivalCircle }) });
  }

  #change(course: Partial<CourseInfo>): void {
    this.#info = { ...this.#info, ...course };
    this.#options.onChange(this.#info, this.steeredBy);
  }
}

const hrefLengthMax = 500;

/** `/resources/waypoints/ID`, with whatever stands before it. */
function resourceOf(href: unknown): { readonly type: string; readonly id: string } | undefined {
  if (typeof href !== "string" || href.length > hrefLengthMax) return undefined;
  const [resources, type, id] = href.split("/").slice(-3);
  return resources === "resources" && type !== undefined && id !== undefined ? { type, id } : undefined;
}

function plain({ latitude, longitude }: Position): Position {
  return { latitude, longitude };
}

function isRadius(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function isTime(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length < 50 &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d*)?(?:-\d\d:\d\d|Z)$/.test(value)
  );
}
