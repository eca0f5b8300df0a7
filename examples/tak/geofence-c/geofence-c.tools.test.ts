/** The geofence in C, where there is a compiler for it. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { buildExamples, componentPath } from "../../build.ts";
import { instantiateOnJco, instantiateOnRemora } from "../running-plugin.ts";

const folder = "tak/geofence-c";
let reason: string | undefined;

before(async () => {
  const { skipped } = await buildExamples();
  reason = skipped.find((each) => each.folder === folder)?.reason;
});

for (const [name, instantiate] of [
  ["Remora", instantiateOnRemora],
  ["jco", instantiateOnJco],
] as const) {
  test(`the filter in C decides like the others, on ${name}`, async (t) => {
    if (reason !== undefined) {
      t.skip(reason);
      return;
    }
    const { exports } = await instantiate(await readFile(componentPath(folder)), {});
    const { filter } = exports;
    assert.equal(filter.evaluate(at(52.08, 4.31)), "pass");
    assert.equal(filter.evaluate(at(52.37, 4.9)), "block");
    assert.equal(filter.evaluate(at(Number.NaN, 4.31)), "block");
    assert.equal(filter.getMetadata().id, "geofence-c");
    assert.match(filter.describe(), /fence/);
  });
}

test("a plugin in C that does not compile is refused with its file and line", async (t) => {
  if (reason !== undefined) {
    t.skip(reason);
    return;
  }
  const { buildComponent } = await import("../../../sdk/c/build.ts");
  const source = await mkdtemp(join(tmpdir(), "remora-c-source-"));
  try {
    const entry = join(source, "plugin.c");
    await writeFile(entry, "#include <remora/tak-filter.h>\nint sparrow(void) { return crow; }\n");
    const plugin = { entry, world: "omnitak:plugin/filter-plugin@0.1.0", witFolder: "" };
    await assert.rejects(buildComponent(plugin), {
      name: "CompileError",
      message: /plugin\.c:2:28: error: .*crow/,
    });
  } finally {
    await rm(source, { recursive: true });
  }
});

function at(lat: number, lon: number) {
  return { cotType: "a-f-G-U-C", uid: "ANDROID-1", lat, lon, time: "2026-01-01T00:00:00.000Z" };
}
