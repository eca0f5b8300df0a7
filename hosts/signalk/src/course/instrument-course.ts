/**
 * The course as instruments say it, by sentences such as RMB: the first that names a place sets the destination, and goes on
 * to set it while it says so at least every 15 s. Where it says to be farther off its track than we are off ours, its track
 * becomes ours. What was set by the interface no instrument changes (signalk-server, "Course API").
 */

import type { Clock } from "../clock.ts";
import type { PathValue, StampedUpdate } from "../delta/delta.ts";
import { isOnEarth } from "../http/position.ts";
import { Refusal } from "../refusal.ts";
import type { Position } from "../server-port.ts";
import type { Course } from "./course.ts";
import { crossTrackMetres, trackStart } from "./cross-track.ts";

/** After so many milliseconds without a word of it the destination is no longer one. */
export const staleMs = 15_000;

/** Metres by which an instrument may be off another track than ours. */
const toleranceMetres = 10;
/** So often in a row it must be: position and sentence are not of one moment. */
export const disagreementsMax = 3;

const instruments: ReadonlySet<unknown> = new Set(["NMEA0183", "NMEA2000"]);

const below = (...names: readonly string[]): ReadonlySet<string> =>
  new Set(
    ["navigation.courseRhumbline", "navigation.courseGreatCircle"].flatMap((way) =>
      names.map((name) => `${way}.${name}`),
    ),
  );

const nextPaths = below("nextPoint.position");
const previousPaths = below("previousPoint.position");
const crossTrackPaths = below("crossTrackError");
/** By which an instrument says that it still steers. */
const otherPaths = below(
  "nextPoint.distance",
  "nextPoint.bearingTrue",
  "nextPoint.bearingMagnetic",
  "bearingTrackTrue",
  "bearingTrackMagnetic",
);

export class InstrumentCourse {
  readonly #course: Course;
  readonly #clock: Clock;
  #stopWaiting = () => {};
  /** In a row, of where the track is. */
  #disagreements = 0;

  constructor(course: Course, clock: Clock) {
    this.#course = course;
    this.#clock = clock;
  }

  /** Looks through what was said of this vessel. */
  hear(updates: readonly StampedUpdate[]): void {
    if (this.#course.isSetByApi) return;
    for (const { $source, source, values } of updates) {
      if (values === undefined || !instruments.has(source?.type)) continue;
      // A sentence may say first how far it is off the track to a place that it names last.
      for (const item of values) if (nextPaths.has(item.path)) this.#steer($source, item.value);
      for (const item of values) this.#note($source, item);
    }
  }

  #steer(instrument: string, position: unknown): void {
    const { steeredBy, info, isApiOnly } = this.#course;
    if (steeredBy === undefined ? isApiOnly : steeredBy !== instrument) return;
    if (!isOnEarth(position)) {
      if (steeredBy !== undefined) this.#course.clear();
      return;
    }
    const next = info.nextPoint?.position;
    const isSame = next?.latitude === position.latitude && next.longitude === position.longitude;
    try {
      if (steeredBy === undefined || !isSame) {
        this.#course.steer(instrument, position);
        this.#disagreements = 0;
      }
      this.#heard(instrument);
    } catch (error) {
      // Nobody knows where the vessel is; the next sentence says the same again.
      if (!(error instanceof Refusal)) throw error;
    }
  }

  #note(instrument: string, { path, value }: PathValue): void {
    if (this.#course.steeredBy !== instrument) return;
    const isPrevious = previousPaths.has(path);
    const isCrossTrack = crossTrackPaths.has(path);
    if (!isPrevious && !isCrossTrack && !otherPaths.has(path)) return;
    this.#heard(instrument);
    if (isPrevious && isOnEarth(value)) this.#comeFrom(value);
    if (isCrossTrack && Number.isFinite(value)) this.#compare(value as number); // no other value is finite
  }

  #comeFrom(position: Position): void {
    const previous = this.#course.info.previousPoint?.position;
    if (previous?.latitude === position.latitude && previous.longitude === position.longitude) return;
    this.#disagreements = 0;
    this.#course.comeFrom(position);
  }

  #compare(metres: number): void {
    const { vessel, info } = this.#course;
    const from = info.previousPoint?.position;
    const to = info.nextPoint?.position;
    if (vessel === undefined || from === undefined || to === undefined) return;
    const isOther = Math.abs(crossTrackMetres(vessel, { from, to }) - metres) > toleranceMetres;
    this.#disagreements = isOther ? this.#disagreements + 1 : 0;
    if (this.#disagreements < disagreementsMax) return;
    const start = trackStart(vessel, to, metres);
    if (start === undefined) return;
    this.#disagreements = 0;
    this.#course.rebase(start);
  }

  #heard(instrument: string): void {
    this.#stopWaiting();
    this.#stopWaiting = this.#clock.after(staleMs, () => {
      if (this.#course.steeredBy === instrument) this.#course.clear();
    });
  }
}
