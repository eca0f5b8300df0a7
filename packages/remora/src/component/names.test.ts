import assert from "node:assert/strict";
import { test } from "node:test";
import { camelCase, compatibleName, parseFuncName, parseInterfaceName, pascalCase } from "./names.ts";
import { isInterfaceName, isLabel, parseExternName, uniquenessKey } from "./validate/extern-names.ts";

test("labels become camelCase, acronyms included, and classes PascalCase", () => {
  const rows = [
    ["get-current-time-ms", "getCurrentTimeMs", "GetCurrentTimeMs"],
    ["parse-XML-file", "parseXmlFile", "ParseXmlFile"],
    ["HTTP", "http", "Http"],
    ["f32-x2", "f32X2", "F32X2"],
    ["a", "a", "A"],
  ] as const;
  for (const [label, camel, pascal] of rows) {
    assert.equal(camelCase(label), camel);
    assert.equal(pascalCase(label), pascal);
  }
});

test("the newest compatible version serves an import, and the very one before it", () => {
  const given = [
    "wasi:io/streams@0.2.3",
    "wasi:io/streams@0.2.12",
    "wasi:io/streams@0.3.0",
    "wasi:io/poll@0.2.20",
  ];
  assert.equal(compatibleName("wasi:io/streams@0.2.3", given), "wasi:io/streams@0.2.3");
  assert.equal(compatibleName("wasi:io/streams@0.2.6", given), "wasi:io/streams@0.2.12");
  assert.equal(compatibleName("wasi:io/streams@0.2.99", given), "wasi:io/streams@0.2.12");
  assert.equal(compatibleName("wasi:io/streams@0.4.0", given), undefined);
  assert.equal(compatibleName("wasi:io/error@0.2.3", given), undefined);
});

test("versions are compatible within a major one, or a minor one below 1.0, and never across pre-releases", () => {
  const serves = (wanted: string, given: string) =>
    compatibleName(`a:b/c@${wanted}`, [`a:b/c@${given}`]) !== undefined;
  assert(serves("1.0.0", "1.9.3"));
  assert(!serves("1.0.0", "2.0.0"));
  assert(serves("0.1.0", "0.1.1"));
  assert(!serves("0.1.0", "0.2.0"));
  assert(!serves("0.0.1", "0.0.2"));
  assert(!serves("1.0.0", "1.0.0-rc.1"));
  assert(!serves("1.0.0-rc.1", "1.0.0-rc.2"));
});

test("names of functions and interfaces come apart", () => {
  assert.deepEqual(parseFuncName("[method]message.get-lat"), {
    kind: "method",
    resource: "message",
    label: "get-lat",
  });
  assert.deepEqual(parseFuncName("[constructor]message"), { kind: "constructor", resource: "message" });
  assert.deepEqual(parseFuncName("log"), { kind: "plain", label: "log" });
  assert.deepEqual(parseInterfaceName("a:b/c-d@0.1.0"), { path: "a:b/c-d", label: "c-d", version: "0.1.0" });
  assert.equal(parseInterfaceName("plain"), undefined);
});

test("labels are kebab-case, each fragment in one case", () => {
  for (const name of ["a", "a-b-c", "a1-2-3", "A", "A1-2-3", "m1x3d-4CR0NYMS"]) assert(isLabel(name), name);
  for (const name of ["", "1-2-3", "-a", "a-", "a--b", "aB", "a_b", "Ab", "é"]) assert(!isLabel(name), name);
});

test("interface names have a namespace, a package, an interface and at most a version", () => {
  for (const name of ["a:b/c", "a-1:b-c/d-E@1.2.3", "a:b/c@0.1.0-rc.1+build", "a:b/c@1", "a:b/c@0.2"]) {
    assert(isInterfaceName(name), name);
  }
  for (const name of [
    "a:b",
    "a/b",
    "a:b/",
    ":b/c",
    "A:b/c",
    "a:b/c@",
    "a:b/c@01.0.0",
    "a:b/c@1.2",
    "a:b:c/d",
  ]) {
    assert(!isInterfaceName(name), name);
  }
});

test("annotated names want their parts", () => {
  for (const name of ["[method]a.b", "[static]a.b", "[constructor]a"])
    assert(parseExternName(name) !== undefined, name);
  for (const name of [
    "[method]a",
    "[method]a.b.c",
    "[constructor]",
    "[constructor]a.b",
    "[other]a",
    "[static]a:b/c",
  ]) {
    assert.equal(parseExternName(name), undefined, name);
  }
});

test("names that a language would take for one are not unique", () => {
  const conflicts = [
    ["foo", "FOO"],
    ["foo-bar", "foo-BAR"],
    ["[method]foo.bar", "[static]foo.bar"],
    ["[method]foo.foo", "foo"],
    ["[constructor]foo", "[constructor]FOO"],
    ["a:b/c", "a:b/C"],
  ] as const;
  for (const [a, b] of conflicts) assert.equal(uniquenessKey(a), uniquenessKey(b), `${a} ${b}`);
  assert.notEqual(uniquenessKey("[constructor]foo"), uniquenessKey("foo"));
  assert.notEqual(uniquenessKey("[method]foo.bar"), uniquenessKey("foo"));
});
