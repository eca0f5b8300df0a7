/** Resources of the host's that a guest still owns when it goes: a file behind one must not stay open. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { componentFromWit } from "../../component/testing/harness.test.ts";
import { openArtifact } from "../artifact.ts";
import { defaultLimits } from "../limits.ts";
import { openIsolation } from "./open.ts";

/** Opens files and keeps their handles, gives back the last one, or traps. */
const bytes = await componentFromWit({
  wit: `package test:keeps@1.0.0;
    interface files { resource file { constructor(name: u32); } }
    interface keeper {
      use files.{file};
      open: func(name: u32);
      keep: func(given: file);
      give-back: func() -> file;
      close: func();
      fail: func();
    }
    world w { import files; export keeper; }`,
  world: "w",
  wat: `(module
    (import "test:keeps/files@1.0.0" "[constructor]file" (func $new (param i32) (result i32)))
    (import "test:keeps/files@1.0.0" "[resource-drop]file" (func $drop (param i32)))
    (global $last (mut i32) (i32.const 0))
    (func (export "test:keeps/keeper@1.0.0#open") (param i32) (global.set $last (call $new (local.get 0))))
    (func (export "test:keeps/keeper@1.0.0#keep") (param i32) (global.set $last (local.get 0)))
    (func (export "test:keeps/keeper@1.0.0#give-back") (result i32) (global.get $last))
    (func (export "test:keeps/keeper@1.0.0#close") (call $drop (global.get $last)))
    (func (export "test:keeps/keeper@1.0.0#fail") unreachable))`,
});

for (const level of ["inline", "worker", "process"] as const) {
  const isolation = openIsolation(level);
  test.after(() => isolation.close());

  const open = async () => {
    const closed: number[] = [];
    class File {
      readonly name: number;

      constructor(name: number) {
        this.name = name;
      }

      [Symbol.dispose]() {
        closed.push(this.name);
        if (this.name === 13) throw new Error("cannot be closed");
      }
    }
    const guest = await isolation.instantiate(openArtifact(bytes), {
      limits: defaultLimits,
      imports: { "test:keeps/files@1.0.0": { File } },
    });
    const call = async (name: string, ...args: unknown[]) =>
      (await guest.call(["keeper", name], args)).result;
    return { guest, call, closed, File };
  };

  test(`${level}: what a guest made and what it was given is disposed of when its instance closes, once`, async () => {
    const { guest, call, closed, File } = await open();
    await call("open", 1);
    await call("open", 2);
    await call("keep", new File(3));
    assert.deepEqual(closed, []);
    guest.close();
    guest.close();
    assert.deepEqual(closed, [1, 2, 3]);
  });

  test(`${level}: what a guest let go of, or gave back, is not disposed of again`, async () => {
    const { guest, call, closed, File } = await open();
    await call("open", 1);
    await call("close");
    await call("open", 2);
    assert.ok((await call("giveBack")) instanceof File);
    guest.close();
    assert.deepEqual(closed, [1]);
  });

  test(`${level}: a guest that failed loses what it had when it is closed, whatever closing one of them throws`, async () => {
    const { guest, call, closed } = await open();
    for (const name of [1, 13, 2]) await call("open", name);
    await assert.rejects(call("fail"), { code: "engine/unreachable" });
    guest.close();
    assert.deepEqual(closed, [1, 13, 2]);
  });
}
