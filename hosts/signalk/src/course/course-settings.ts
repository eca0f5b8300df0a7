/**
 * Whether instruments may set a course, where signalk-server keeps it: `courseApi.apiOnly` in its `settings.json`. What else
 * is in that file stays in it.
 */

import { join } from "node:path";
import { isRecord } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";
import { KeptFile } from "./kept-file.ts";

export class CourseSettings {
  readonly #path: string;
  readonly #file: KeptFile;

  /** @param onFailure As of `KeptFile`. */
  constructor(dataFolder: string, onFailure: (error: unknown) => void) {
    this.#path = join(dataFolder, "settings.json");
    this.#file = new KeptFile(this.#path, onFailure);
  }

  /** @throws signalk/settings-file the file is there, and no settings */
  async isApiOnly(): Promise<boolean> {
    const { courseApi } = await this.#read();
    return isRecord(courseApi) && courseApi.apiOnly === true;
  }

  /** A file that cannot be read is not written over: the operator's other settings may be saved from it. */
  keepApiOnly(apiOnly: boolean): void {
    this.#file.keep(async () => {
      const settings = await this.#read();
      const courseApi = isRecord(settings.courseApi) ? settings.courseApi : {};
      return { ...settings, courseApi: { ...courseApi, apiOnly } };
    });
  }

  settled(): Promise<void> {
    return this.#file.settled();
  }

  async #read(): Promise<Readonly<Record<string, unknown>>> {
    const settings = (await this.#file.read()) ?? {};
    if (isRecord(settings)) return settings;
    throw signalkErrors["settings-file"]({ file: this.#path, reason: "it is no object" });
  }
}
