/** What an open isolation means for the end of its program. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** `(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))` */
const adder = "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b";

/** Nothing else keeps this program alive while the isolation, which has no instance left, is closed. */
const program = (level: string) => `
  import { setTimeout as after } from "node:timers/promises";
  import { openArtifact } from ${here("../artifact.ts")};
  import { defaultLimits } from ${here("../limits.ts")};
  import { openIsolation } from ${here("./open.ts")};

  const isolation = openIsolation("${level}");
  const artifact = openArtifact(Buffer.from("${adder}", "hex"));
  const guest = await isolation.instantiate(artifact, { imports: {}, limits: defaultLimits });
  const { result } = await guest.call("add", [2, 3]);
  guest.close();
  await after(100);
  await isolation.close();
  console.log(result, "closed");`;

for (const level of ["worker", "process"]) {
  test(`${level}: a program that waits for nothing but the end of an isolation sees it`, () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ["--input-type=module-typescript", "--eval", program(level)],
      { encoding: "utf8" },
    );
    assert.equal(stdout, "5 closed\n");
    assert.equal(status, 0);
  });
}
