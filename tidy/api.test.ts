import assert from "node:assert/strict";
import { test } from "node:test";
import { apiFindings, apiLines } from "./api.ts";
import { expectTidy } from "./finding.ts";
import { readTree, treeOf } from "./tree.ts";

test("the public names are those of the checked-in list", () => {
  expectTidy(apiFindings(readTree()));
});

test("a name that came and a name that went are found", () => {
  const tree = treeOf({
    "packages/remora/src/base/index.ts": 'export { a, type B } from "./a.ts";',
    "tidy/api.txt": "remora/base a\nremora/base c\n",
  });
  assert.deepEqual(apiLines(tree), ["remora/base B (type)", "remora/base a"]);
  assert.deepEqual(
    apiFindings(tree).map((finding) => finding.what),
    ['"remora/base B (type)" is new', '"remora/base c" is gone'],
  );
});
