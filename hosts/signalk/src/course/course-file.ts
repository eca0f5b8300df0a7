/** The course where signalk-server keeps it, `serverState/course/settings.json`, so that it is there after a restart. */

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isRecord } from "../delta/delta.ts";
import { isOnEarth } from "../http/position.ts";
import type { ActiveRoute, CourseInfo, CoursePoint } from "./course.ts";

/** A course takes less; somebody may have put another file there. */
const charactersMax = 1024 * 1024;

export class CourseFile {
  readonly #path: string;
  readonly #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();

  /** @param onFailure Told when the course cannot be kept: whoever set it does not wait for that. */
  constructor(dataFolder: string, onFailure: (error: unknown) => void) {
    this.#path = join(dataFolder, "serverState", "course", "settings.json");
    this.#onFailure = onFailure;
  }

  /** Undefined where there is none, or none that can be followed. */
  async read(): Promise<CourseInfo | undefined> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    if (text === "" || text.length > charactersMax) return undefined;
    try {
      return readCourse(JSON.parse(text));
    } catch {
      // It is no JSON: a course is set again sooner than a file is mended.
      return undefined;
    }
  }

  /** One after the other; whoever reads finds the old one or the new one. */
  keep(course: CourseInfo): void {
    this.#writing = this.#writing.then(() => this.#write(JSON.stringify(course))).catch(this.#onFailure);
  }

  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(text: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.new`, text);
    await rename(`${this.#path}.new`, this.#path);
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
