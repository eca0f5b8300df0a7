import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRemoraError } from "../../base/index.ts";
import { vocabularyWith } from "../../policy/index.ts";
import type { Problem } from "../errors.ts";
import { manifestText } from "../testing/plugin-files.ts";
import { type ManifestOptions, namedFiles, parseManifest, versionFits } from "./manifest.ts";

/** Each problem as `line:column path`. */
function problemsOf(text: string | Uint8Array, options: ManifestOptions = {}): readonly Problem[] {
  try {
    parseManifest(text, options);
  } catch (error) {
    assert.ok(isRemoraError(error, "bundle/manifest"), String(error));
    return (error.details as { problems: readonly Problem[] }).problems;
  }
  return [];
}

function expectProblems(text: string, expected: readonly string[], options: ManifestOptions = {}): void {
  const found = problemsOf(text, options).map(({ line, column, path }) =>
    `${line}:${column} ${path}`.trimEnd(),
  );
  assert.deepEqual(found, expected, text);
}

const full = `name = "area-watch"
version = "1.2.0-beta.1"
description = "Blocks positions outside of an area"
authors = ["Ada Example <ada@example.org>", "Bob"]
licence = "MIT OR Apache-2.0"
homepage = "https://example.org/area-watch"
category = "filter"
tags = ["cot", "area"]
isolation = "worker"
readme = "README.md"
icon = "icon.png"
files = ["LICENSE", "data/areas.json"]

[host]
name = "tak"
version = ">=0.1.0 <1"

[[artifacts]]
file = "area.wasm"
world = "omnitak:plugin/filter-plugin@0.1.0"

[[artifacts]]
file = "area-batch.wasm"
world = "remora:tak/batch-filter@0.1.0"

[[capabilities]]
capability = "net.http"
origins = ["https://API.example.org"]
why = "Reads the area once an hour"

[[capabilities]]
capability = "clock.read"
why = "Knows when an hour is over"

[limits]
fuel = 100_000
deadline_ms = 5
memory_pages = 64
table_elements = 0
stack_slots = 1_024

[settings]
type = "object"
required = ["radius"]

[settings.properties.radius]
type = "number"
title = "Radius in metres"
minimum = 1
default = 500.5

[settings.properties.token]
type = "string"
writeOnly = true

[dependencies]
maps = "^1.2"
`;

test("a manifest is read into what it says, targets in their one spelling", () => {
  const manifest = parseManifest(full);
  assert.equal(manifest.name, "area-watch");
  assert.equal(manifest.version, "1.2.0-beta.1");
  assert.deepEqual(manifest.host, { name: "tak", version: ">=0.1.0 <1" });
  assert.deepEqual(manifest.capabilities, [
    {
      grant: { capability: "net.http", origins: ["https://api.example.org:443"] },
      why: "Reads the area once an hour",
    },
    { grant: { capability: "clock.read" }, why: "Knows when an hour is over" },
  ]);
  assert.deepEqual(manifest.limits, {
    fuelMax: 100_000,
    deadlineMs: 5,
    memoryPagesMax: 64,
    tableElementsMax: 0,
    stackSlotsMax: 1_024,
  });
  assert.equal(manifest.settings?.properties?.radius?.default, 500.5);
  assert.deepEqual([...manifest.dependencies], [["maps", "^1.2"]]);
  assert.deepEqual(namedFiles(manifest), [
    "area.wasm",
    "area-batch.wasm",
    "README.md",
    "icon.png",
    "LICENSE",
    "data/areas.json",
  ]);
});

test("what may be left out has a default", () => {
  const manifest = parseManifest(manifestText);
  assert.equal(manifest.isolation, "inline");
  assert.deepEqual([manifest.tags, manifest.capabilities, manifest.limits], [[], [], {}]);
  assert.deepEqual(
    [manifest.description, manifest.settings, manifest.readme],
    [undefined, undefined, undefined],
  );
});

test("all problems are told at once, each at its place, in the order of the file", () => {
  expectProblems(
    full
      .replace('"area-watch"', '"Area Watch"')
      .replace("1.2.0-beta.1", "v1.2")
      .replace('tags = ["cot", "area"]', 'tags = ["cot", 7, "cot"]')
      .replace('"worker"', '"workr"')
      .replace('name = "tak"', 'nmae = "tak"')
      .replace("filter-plugin@0.1.0", "filter-plugin")
      .replace('"net.http"', '"net.htp"')
      .replace("fuel = 100_000", "fuel = 1.5")
      .replace("minimum = 1", "minimun = 1")
      .replace('"^1.2"', '"latest"'),
    [
      "1:1 name",
      "2:1 version",
      "8:16 tags[1]",
      "8:19 tags[2]",
      "9:1 isolation",
      "14:1 host",
      "15:1 host.nmae",
      "20:1 artifacts[0].world",
      "27:1 capabilities[0].capability",
      "36:1 limits.fuel",
      "49:1 settings.properties.radius.minimun",
      "57:1 dependencies.maps",
    ],
  );
});

/** One of each type of TOML. */
const ofTypes: Readonly<Record<string, string>> = {
  string: '"x"',
  number: "7",
  boolean: "true",
  date: "1979-05-27",
  list: "[[7]]",
  table: "{ x = 7 }",
};

const typeOf = (value: string) => {
  if (/^[\d-]/.test(value)) return "number"; // there is no date in it
  return Object.keys(ofTypes).find((type) => (ofTypes[type] as string)[0] === value[0]) ?? "boolean";
};

test("every value of a manifest is refused in every other type, at its place", () => {
  const lines = full.split("\n");
  let values = 0;
  for (const [index, line] of lines.entries()) {
    const [, key, value] = /^([\w-]+) = (.+)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    values++;
    for (const [type, other] of Object.entries(ofTypes)) {
      if (type === typeOf(value)) continue;
      const text = lines.with(index, `${key} = ${other}`).join("\n");
      const problems = problemsOf(text);
      assert.ok(problems.length > 0, `${line} as ${other}`);
      assert.ok(
        problems.some((one) => one.line === index + 1),
        `${line} as ${other}: ${JSON.stringify(problems)}`,
      );
    }
  }
  assert.ok(values > 25, `${values} values`);
});

test("a key that there is not is refused in every table", () => {
  const lines = full.split("\n");
  const heads = lines.flatMap((line, index) => (line.startsWith("[") ? [index + 1] : []));
  for (const at of [0, ...heads]) {
    const problems = problemsOf(lines.toSpliced(at, 0, "surprise-key = 7").join("\n"));
    assert.ok(
      problems.some((one) => one.line === at + 1),
      `behind line ${at}: ${JSON.stringify(problems)}`,
    );
  }
  assert.ok(heads.length > 5);
});

test("a misspelt name gets a near one", () => {
  const near = (text: string, options: ManifestOptions = {}) =>
    problemsOf(text, options).map((one) => one.message);
  assert.match(near(manifestText.replace("licence", "licenec")).join(), /did you mean "licence"/);
  assert.match(near(`license = "MIT"\n${manifestText}`).join(), /"licence"/);
  assert.match(near(full.replace('"worker"', '"workr"')).join(), /did you mean "worker"/);
  assert.match(near(full.replace("net.http", "net.htp")).join(), /did you mean "net\.http"/);
  assert.match(near(full.replace("minimum", "minimun")).join(), /did you mean "minimum"/);
  assert.match(near(manifestText, { files: ["geofnce.wasm"] }).join(), /did you mean "geofnce\.wasm"/);
});

test("each field refuses what it cannot be", () => {
  const edits: readonly (readonly [from: string, to: string, place: string])[] = [
    ['name = "geofence"', 'name = "geo--fence"', "1:1 name"],
    ['name = "geofence"', "name = 7", "1:1 name"],
    ['name = "geofence"', "", "1:1"],
    ['version = "1.2.0"', 'version = " 1.2.0"', "2:1 version"],
    ['version = "1.2.0"', "version = 1.2", "2:1 version"],
    ['authors = ["Ada Example <ada@example.org>"]', "authors = []", "3:1 authors"],
    ['authors = ["Ada Example <ada@example.org>"]', 'authors = "Ada"', "3:1 authors"],
    ['licence = "Apache-2.0"', 'licence = "<script>"', "4:1 licence"],
    ['licence = "Apache-2.0"', "licence = 1979-05-27", "4:1 licence"],
    ['version = "^0.1.0"', 'version = "new"', "8:1 host.version"],
    ['file = "geofence.wasm"', 'file = "../geofence.wasm"', "11:1 artifacts[0].file"],
    ['file = "geofence.wasm"', 'file = "/geofence.wasm"', "11:1 artifacts[0].file"],
    ['file = "geofence.wasm"', 'file = "geofence.js"', "11:1 artifacts[0].file"],
    ['file = "geofence.wasm"', 'fil = "geofence.wasm"', "10:1 artifacts[0]"],
    ["filter-plugin@0.1.0", "filter-plugin@1", "12:1 artifacts[0].world"],
  ];
  for (const [from, to, place] of edits) {
    const [first] = problemsOf(manifestText.replace(from, to));
    assert.equal(`${first?.line}:${first?.column} ${first?.path}`.trimEnd(), place, to);
  }
});

test("what is added is refused when it is unknown, twice, too large or of another type", () => {
  const table: readonly (readonly [text: string, path: string])[] = [
    ['[[artifacts]]\nfile = "geofence.wasm"\nworld = "a:b/c@1.0.0"', "artifacts[1].file"],
    ['[[artifacts]]\nfile = "b.wasm"\nworld = "omnitak:plugin/filter-plugin@0.1.0"', "artifacts[1].world"],
    ['[[capabilities]]\ncapability = "clock.read"', "capabilities[0]"],
    ['[[capabilities]]\ncapability = "clock.read"\nwhy = ""', "capabilities[0].why"],
    ['[[capabilities]]\ncapability = "clock.read"\nwhy = "x"\nhosts = []', "capabilities[0].hosts"],
    [
      '[[capabilities]]\ncapability = "net.http"\nwhy = "x"\norigins = ["ok.example", "ftp:"]',
      "capabilities[0].origins[0]",
    ],
    [
      '[[capabilities]]\ncapability = "clock.read"\nwhy = "x"\n[[capabilities]]\ncapability = "clock.read"\nwhy = "y"',
      "capabilities[1].capability",
    ],
    ["[limits]\nfuel = -1", "limits.fuel"],
    ["[limits]\nfuel = 9_007_199_254_740_993", "limits.fuel"],
    ["[limits]\nfuel = inf", "limits.fuel"],
    ["[limits]\nmemory_pages = 65537", "limits.memory_pages"],
    ["[limits]\nfule = 1", "limits.fule"],
    ['[settings]\ntype = "string"', "settings.type"],
    ['[settings]\ntype = "object"\n[settings.properties.a]\n"$ref" = "#"', "settings.properties.a"],
    ['[dependencies]\nMaps = "^1"', "dependencies.Maps"],
    ["[dependencies]\nmaps = 1", "dependencies.maps"],
    ["[surprise]\na = 1", "surprise"],
    ['[[host]]\nname = "tak"', ""],
  ];
  for (const [text, path] of table) {
    const problems = problemsOf(`${manifestText}\n${text}\n`);
    assert.equal(problems[0]?.path, path, `${text}: ${JSON.stringify(problems)}`);
    assert.ok((problems[0]?.line ?? 0) > 1);
  }
});

test("a host brings capabilities of its own", () => {
  const text = `${manifestText}\n[[capabilities]]\ncapability = "tak.log"\nwhy = "Says what it blocks"\n`;
  expectProblems(text, ["15:1 capabilities[0].capability"]);
  const vocabulary = vocabularyWith([{ name: "tak.log", risk: "low", meaning: "Write lines" }]);
  assert.equal(parseManifest(text, { vocabulary }).capabilities[0]?.grant.capability, "tak.log");
});

test("files that are named have to be there, and once", () => {
  expectProblems(full, ["10:1 readme", "12:21 files[1]", "23:1 artifacts[1].file"], {
    files: ["remora.toml", "area.wasm", "icon.png", "LICENSE"],
  });
  expectProblems(manifestText.replace("[host]", 'files = ["geofence.wasm", "remora.toml"]\n\n[host]'), [
    "6:10 files[0]",
    "6:27 files[1]",
  ]);
});

test("what is no TOML is one problem, with its place", () => {
  expectProblems('name = "a"\nname = "b"\n', ["2:1"]);
  expectProblems('name = "a\n', ["1:10"]);
  assert.equal(problemsOf(`a = ${"[".repeat(5_000)}`).length, 1);
  assert.equal(problemsOf("__proto__ = 1").length, 1);
  assert.equal(problemsOf("x".repeat(70_000)).length, 1);
  assert.equal(problemsOf(Uint8Array.of(0xff, 0xfe)).length, 1);
});

test("no text makes it anything but a manifest or a coded error", () => {
  const parts = full.split(/(?<=[\n ="\][.])/);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 60 }), (list) => {
      problemsOf(list.join(""));
    }),
    { numRuns: 500 },
  );
  for (let at = 0; at < full.length; at += 3) {
    problemsOf(full.slice(0, at));
    problemsOf(`${full.slice(0, at)}${full.slice(at + 1)}`);
  }
});

test("no manifest takes long to be read or refused, whatever its publisher wrote for that", () => {
  const times = <Item>(count: number, item: (index: number) => Item) =>
    Array.from({ length: count }, (_, at) => item(at));
  const list = (count: number, item: (index: number) => string) => `[${times(count, item).join(",")}]`;
  const settings = (schema: string) => `${manifestText}\n[settings]\ntype = "object"\n${schema}\n`;
  const long = (index: number) => `${"a".repeat(60)}${index}`;
  const rows: readonly [what: string, text: string][] = [
    // TOML's own escape: where the key stands is then found by what is around it.
    ["a key of brackets", `${manifestText}\n"\\e${"[".repeat(60_000)}" = 1`],
    ["a key of dots", `${manifestText}\n"\\e${".".repeat(60_000)}" = 1`],
    ["keys without end", `${manifestText}\n${times(5_000, (at) => `"\\e${at}"=1`).join("\n")}`],
    [
      "a long list against a long list",
      settings(
        `[settings.properties.a]\ntype = "array"\ndefault = ${list(25_000, () => "0")}\nitems = { type = "integer", enum = ${list(1_000, (at) => String(999 - at))} }`,
      ),
    ],
    [
      "a long list that does not fit",
      settings(
        `[settings.properties.a]\ntype = "array"\ndefault = ${list(25_000, () => "0")}\nitems = { type = "integer", enum = ${list(1_000, (at) => String(at + 1))} }`,
      ),
    ],
    [
      "required names that are nearly those of properties",
      `${settings(`required = ${list(400, long)}\n[settings.properties]`)}${times(400, (at) => `${long(at).replaceAll("aaa", "aab")} = { type = "string" }`).join("\n")}`,
    ],
  ];
  for (const [what, text] of rows) {
    assert.ok(text.length <= 65_536, `${what}: ${text.length}`);
    const started = process.threadCpuUsage();
    try {
      parseManifest(text);
    } catch (error) {
      assert.ok(isRemoraError(error, "bundle/manifest"), what);
    }
    const { user } = process.threadCpuUsage(started);
    assert.ok(user < 3_000_000, `${what}: ${user / 1_000} ms`);
  }
});

test("versions lie in ranges as in npm: a pre-release only where one is named", () => {
  for (const [version, range, fits] of [
    ["1.2.3", "^1.2", true],
    ["2.0.0", "^1.2", false],
    ["0.2.0", "^0.1.0", false],
    ["1.3.0-beta.1", "^1.2", false],
    ["1.3.0-beta.2", "^1.3.0-beta.1", true],
  ] as const) {
    assert.equal(versionFits(version, range), fits, `${version} in ${range}`);
  }
});
