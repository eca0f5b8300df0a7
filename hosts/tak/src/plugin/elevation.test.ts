import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openElevation } from "./elevation.ts";

const side = 1201;
const step = 1 / (side - 1);

/** A tile whose height is 10 a step to the south plus 1 a step to the east, with one sample missing. */
function tile(): Buffer {
  const bytes = Buffer.alloc(side * side * 2);
  for (let line = 0; line < side; line++) {
    for (let column = 0; column < side; column++) {
      bytes.writeInt16BE(line * 10 + column, (line * side + column) * 2);
    }
  }
  bytes.writeInt16BE(-32_768, (600 * side + 600) * 2);
  return bytes;
}

function withTiles(files: Record<string, Buffer>, run: (folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), "elevation-"));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function expectNear(found: number | undefined, wanted: number) {
  assert.ok(found !== undefined && Math.abs(found - wanted) < 1e-6, `${found} is not ${wanted}`);
}

test("a height is interpolated between the four samples around a position", () => {
  withTiles({ "N52E004.hgt": tile(), "S01W001.hgt": tile() }, (folder) => {
    const source = openElevation(folder);
    expectNear(source.at(53 - 10 * step, 4 + 20 * step), 120);
    expectNear(source.at(53 - 10.5 * step, 4 + 20.25 * step), 125.25);
    expectNear(source.at(52, 4.999999999999999), 13_200);
    expectNear(source.at(-1, -1), 12_000);
    source.close();
  });
});

test("what is not covered, missing or no position at all is not known", () => {
  withTiles({ "N52E004.hgt": tile() }, (folder) => {
    const source = openElevation(folder);
    assert.equal(source.at(51.5, 4.5), undefined);
    assert.equal(source.at(53 - 600 * step, 4 + 600 * step), undefined);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -91, 1e300]) {
      assert.equal(source.at(bad, 4.5), undefined);
      assert.equal(source.at(52.5, bad), undefined);
    }
    source.close();
  });
});

test("a folder that is not one of tiles is refused with what is wrong", () => {
  withTiles({}, (folder) => {
    assert.throws(() => openElevation(folder), { code: "tak/elevation" });
    assert.throws(() => openElevation(join(folder, "absent")), { code: "tak/elevation" });
  });
  withTiles({ "N52E004.hgt": Buffer.alloc(12) }, (folder) => {
    assert.throws(() => openElevation(folder), { code: "tak/elevation" });
  });
});
