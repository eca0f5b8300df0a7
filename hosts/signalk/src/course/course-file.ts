/** The course where signalk-server keeps it, `serverState/course/settings.json`, so that it is there after a restart. */

import { join } from "node:path";
import { isRecord } from "../delta/delta.ts";
import { isOnEarth } from "../http/position.ts";
import type { ActiveRoute, CourseInfo, CoursePoint } from "./course.ts";
import { KeptFile } from "./kept-file.ts";

export class CourseFile {
  readonly #file: KeptFile;

  /** @param onFailure As of `KeptFile`. */
  constructor(dataFolder: string, onFailure: (error: unknown) => void) {
    this.#file = new KeptFile(join(dataFolder, "serverState", "course", "settings.json"), onFailure);
  }

  /** Undefined where there is none, or none that can be followed. */
  async read(): Promise<CourseInfo | undefined> {
    // A course is set again sooner than a file is mended.
    return readCourse(await this.#file.read().catch(() => undefined));
  }

  keep(course: CourseInfo): void {
    this.#file.keep(async () => course);
  }

  settled(): Promise<void> {
    return this.#file.settled();
  }
}

/** Whoever can write the file chooses all of it. */
function readCourse(data: unknown): CourseInfo | undefined {
  if (!isRecord(data)) return undefined;
  const { startTime, targetArrivalTime, arrivalCircle, activeRoute, nextPoint, previousPoint } = data;
  if (!isPoint(nextPoint)) return undefined;
  return {
    startTime: typeof startTime === "string" ? startTime : null,
    targetArrivalTime: typeof targetArrivalTime === "string" ? targetArrivalTime : null,
    arrivalCircle: typeof arrivalCircle === "number" && arrivalCircle >= 0 ? arrivalCircle : 0,
    activeRoute: isRoute(activeRoute) ? activeRoute : null,
    nextPoint,
    previousPoint: isPoint(previousPoint) ? previousPoint : null,
  };
}

function isPoint(data: unknown): data is CoursePoint {
  return isRecord(data) && typeof data.type === "string" && isOnEarth(data.position);
}

function isRoute(data: unknown): data is ActiveRoute {
  if (!isRecord(data) || typeof data.href !== "string" || typeof data.reverse !== "boolean") return false;
  return Number.isInteger(data.pointIndex) && Number.isInteger(data.pointTotal);
}
