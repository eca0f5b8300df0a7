import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemoraError } from "../../base/index.ts";
import { parseWit } from "./resolve.ts";
import { selectWorld } from "./select-world.ts";

const packages = parseWit([
  { path: "a.wit", text: "package local:demo; world one {} world two {}" },
  { path: "deps/x1.wit", text: "package a:b@1.0.0; world w {}" },
  { path: "deps/x2.wit", text: "package a:b@2.0.0; world w {} world only {}" },
]);

const cases: [wanted: string | undefined, id: string | undefined][] = [
  ["one", "local:demo/one"],
  ["local:demo/two", "local:demo/two"],
  ["a:b/w@1.0.0", "a:b/w@1.0.0"],
  ["a:b/only", "a:b/only@2.0.0"],
  ["a:b/w", undefined],
  [undefined, undefined],
  ["w", undefined],
  ["a:b/w@3.0.0", undefined],
  ["local:demo/three", undefined],
];

for (const [wanted, id] of cases) {
  test(`${wanted ?? "no name"} selects ${id ?? "nothing"}`, () => {
    if (id !== undefined) assert.equal(selectWorld(packages, wanted).id, id);
    else
      assert.throws(
        () => selectWorld(packages, wanted),
        (error) => isRemoraError(error, "component/wit-no-such-world"),
      );
  });
}

test("the only world of a package needs no name", () => {
  const { root, ...rest } = parseWit([{ path: "a.wit", text: "package local:demo; world one {}" }]);
  assert.equal(selectWorld({ root, ...rest }).name, "one");
});
