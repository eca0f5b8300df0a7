/**
 * What `npm test` prints: what Node's own reporter does, and below it the files that took longest and every test that
 * failed, a line each. The last lines are what one sees of a run on another machine.
 */

import { isAbsolute, relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { spec, type TestEvent } from "node:test/reporters";
import { root } from "./tree.ts";

export const slowestListed = 15;

async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const summary = new Summary();
  // A reporter is a stream of objects in and of text out, which the types of `compose` do not say.
  yield* Readable.from(watched(events, summary)).compose(new spec()) as AsyncIterable<string>;
  yield summary.print();
}

export { report as default };

async function* watched(events: AsyncIterable<TestEvent>, summary: Summary): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    summary.add(event);
    yield event;
  }
}

/** What is kept of a run: how long each file took, and where it failed. */
class Summary {
  private readonly files = new Map<string, number>();
  private readonly failures: string[] = [];

  add({ type, data }: TestEvent): void {
    if (type === "test:complete" && isOfFile(data)) this.files.set(data.name, data.details.duration_ms);
    if (type === "test:fail" && !isOfSubtests(data.details.error)) {
      this.failures.push(
        isOfFile(data) ? `${pathOf(data)}: did not end well` : `${placeOf(data)}: ${data.name}`,
      );
    }
  }

  print(): string {
    const slowest = [...this.files].sort(([, one], [, other]) => other - one).slice(0, slowestListed);
    const rows = slowest.map(([path, ms]) => `${(ms / 1_000).toFixed(1).padStart(7)} s  ${path}`);
    const failed = this.failures.map((failure) => `  ${failure}`);
    return [
      `\nslowest of ${this.files.size} test files:`,
      ...rows,
      failed.length === 0 ? "none failed" : `${failed.length} failed:`,
      ...failed,
      "",
    ].join("\n");
  }
}

interface Place {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** The runner tells of a file as of a test that has the file's name. */
function isOfFile({ name, nesting, file }: Place): boolean {
  return nesting === 0 && file !== undefined && resolve(name) === file;
}

/** A suite fails with its tests, which are named one by one. */
function isOfSubtests(error: unknown): boolean {
  return error instanceof Error && "failureType" in error && error.failureType === "subtestsFailed";
}

function placeOf(data: Place): string {
  return `${pathOf(data)}:${data.line ?? 1}`;
}

function pathOf({ file }: Place): string {
  return file !== undefined && isAbsolute(file) ? relative(root, file) : (file ?? "?");
}
