import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CotMessage } from "../cot/message.ts";
import { compileFilter } from "./compile.ts";
import { groupNameLengthMax } from "./group-pattern.ts";
import { expectBlocks, expectCode, expectPasses, messageOf } from "./harness.test.ts";
import { affiliationCodes, dimensionCodes, type FilterSpec } from "./spec.ts";

test("an affiliation is the second atom of a type that begins with a", () => {
  expectPasses(
    { type: "affiliation", allow: ["friend"] },
    { type: "a-f-G" },
    { type: "a-f" },
    { type: "a-F-g" },
  );
  expectBlocks(
    { type: "affiliation", allow: ["friend"] },
    ...["a-h-G", "a-", "a", "", "b-f-G", "a-ff-G", "afG"].map((type) => ({ type })),
  );
  expectBlocks({ type: "affiliation", allow: ["assumedfriend"] }, { type: "b-a-o-tbl" });
  expectPasses({ type: "affiliation", allow: ["hostile", "suspect"] }, { type: "a-s-A" }, { type: "a-h-A" });
  expectPasses({ type: "affiliation", allow: ["none"] }, { type: "a-o-G" });
});

test("each affiliation matches its own letter and no other", () => {
  for (const [name, letter] of Object.entries(affiliationCodes)) {
    for (const [other, otherLetter] of Object.entries(affiliationCodes)) {
      const spec: FilterSpec = { type: "affiliation", allow: [name as keyof typeof affiliationCodes] };
      const passes = compileFilter(spec)(messageOf({ type: `a-${otherLetter}-G` }));
      assert.equal(passes, name === other, `${name} ${letter} ${otherLetter}`);
    }
  }
});

test("a dimension is the third atom, and other is any that has no name", () => {
  expectPasses({ type: "dimension", allow: ["air"] }, { type: "a-f-A" }, { type: "a-h-A-M-F" });
  expectBlocks({ type: "dimension", allow: ["air"] }, { type: "a-f-G" }, { type: "a-f" }, { type: "t-x-A" });
  expectPasses(
    { type: "dimension", allow: ["seasurface", "seasubsurface"] },
    { type: "a-f-S" },
    { type: "a-f-U" },
  );
  expectPasses(
    { type: "dimension", allow: ["other"] },
    { type: "a-f-X" },
    { type: "a-f-GG" },
    { type: "a-f-Ä" },
  );
  expectBlocks(
    { type: "dimension", allow: ["other"] },
    { type: "a-f-" },
    { type: "a-f--A" },
    { type: "a-f-G" },
  );
});

test("a team is the exact name in the group element", () => {
  const spec: FilterSpec = { type: "team", teams: ["Cyan", "Dark Blue"] };
  expectPasses(spec, { groupName: "Cyan" }, { groupName: "Dark Blue" });
  expectBlocks(spec, { groupName: "cyan" }, { groupName: undefined }, { groupName: "" });
});

test("a group pattern is found anywhere unless it has anchors", () => {
  expectPasses({ type: "group", pattern: "Blue" }, { groupName: "Dark Blue" });
  expectPasses(
    { type: "group", pattern: "^(SOF|JSOC|SEAL).*" },
    { groupName: "SEAL 6" },
    { groupName: "SOF" },
  );
  expectBlocks(
    { type: "group", pattern: "^(SOF|JSOC|SEAL).*" },
    { groupName: "x SOF" },
    { groupName: undefined },
  );
  expectPasses({ type: "group", pattern: "(?i)^cyan$" }, { groupName: "CYAN" });
});

test("a group pattern that makes a backtracking engine hang answers at once", () => {
  const passes = compileFilter({ type: "group", pattern: "^(a+)+$" });
  const started = process.threadCpuUsage();
  for (let length = 900; length < 1_000; length++) {
    assert.equal(passes(messageOf({ groupName: `${"a".repeat(length)}!` })), false);
  }
  assert.ok(process.threadCpuUsage(started).user < 2_000_000);
});

test("a group pattern outside the syntax, too long or too large is refused", () => {
  for (const pattern of ["(", "(?=x)", "(x)\\1", "x{2000}", "y".repeat(1_025), "x{1000}".repeat(6)]) {
    expectCode("tak/filter-pattern", () => compileFilter({ type: "group", pattern }));
  }
});

test("a group name that is too long fails the filter, also under a not", () => {
  const long = messageOf({ groupName: "x".repeat(groupNameLengthMax + 1) });
  expectCode("tak/group-name-too-long", () => compileFilter({ type: "group", pattern: "x" })(long));
  const not = compileFilter({ type: "not", filter: { type: "group", pattern: "^x" } });
  expectCode("tak/group-name-too-long", () => not(long));
});

test("verdicts on group names stay right when there are more names than are kept", () => {
  const passes = compileFilter({ type: "group", pattern: "7$" });
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 2_000; n++) {
      assert.equal(passes(messageOf({ groupName: `group ${n}` })), n % 10 === 7);
    }
  }
});

test("a bounding box contains its edges", () => {
  const spec: FilterSpec = { type: "geo_bounding_box", box: { south: 54, north: 55, west: 10, east: 11 } };
  expectPasses(spec, { lat: 54, lon: 10 }, { lat: 55, lon: 11 }, { lat: 54.5, lon: 10.5 });
  expectBlocks(spec, { lat: 53.999, lon: 10.5 }, { lat: 54.5, lon: 11.001 }, { lat: 54.5, lon: -10.5 });
  expectBlocks(spec, { lat: Number.NaN, lon: 10 }, { lat: 54, lon: Number.NaN });
});

test("a bounding box may go across the antimeridian", () => {
  const fiji: FilterSpec = {
    type: "geo_bounding_box",
    box: { south: -20, north: -15, west: 177, east: -178 },
  };
  const at = (lon: number) => ({ lat: -17, lon });
  expectPasses(fiji, at(177), at(179.9), at(180), at(-180), at(-179), at(-178));
  expectBlocks(fiji, at(176.9), at(-177.9), at(0), at(181), at(-181), at(Number.NaN));
});

test("a bounding box that ends on the antimeridian contains it under both names", () => {
  const at = (lon: number) => ({ lat: 0, lon });
  const east: FilterSpec = { type: "geo_bounding_box", box: { south: -1, north: 1, west: 170, east: 180 } };
  expectPasses(east, at(180), at(-180), at(170));
  expectBlocks(east, at(-179.9));
  const west: FilterSpec = { type: "geo_bounding_box", box: { south: -1, north: 1, west: -180, east: -170 } };
  expectPasses(west, at(180), at(-180));
  const world: FilterSpec = { type: "geo_bounding_box", box: { south: -1, north: 1, west: -180, east: 180 } };
  expectPasses(world, at(180), at(0), at(-180));
});

test("a bounding box with an impossible edge is refused", () => {
  for (const box of [
    { south: -91, north: 0, west: 0, east: 1 },
    { south: 1, north: 0, west: 0, east: 1 },
    { south: 0, north: 1, west: 0, east: 181 },
    { south: Number.NaN, north: 1, west: 0, east: 1 },
  ]) {
    expectCode("tak/filter-range", () => compileFilter({ type: "geo_bounding_box", box }));
  }
});

test("a type pattern matches atoms, and a star at the end whatever follows", () => {
  const types = (...patterns: string[]): FilterSpec => ({ type: "type", types: patterns });
  expectPasses(types("a-f-G-*"), { type: "a-f-G" }, { type: "a-f-G-U-C" });
  expectBlocks(types("a-f-G-*"), { type: "a-f-Gx" }, { type: "a-h-G" }, { type: "a-f" }, { type: "" });
  expectPasses(types("a-*-A"), { type: "a-h-A" });
  expectBlocks(types("a-*-A"), { type: "a-h-A-M" }, { type: "a-h" }, { type: "a-A" }, { type: "a-h-" });
  expectPasses(types("a-*-A-*"), { type: "a-h-A" }, { type: "a-u-A-M-F" });
  expectPasses(types("b-t-f", "a-*-*"), { type: "b-t-f" }, { type: "a-f" });
  expectBlocks(types("b-t-f"), { type: "b-t-f-d" }, { type: "b-t" });
  expectPasses(types("*"), { type: "" }, { type: "t-x-c-t" });
});

test("a type pattern with an empty atom or half a star is refused", () => {
  for (const pattern of ["", "a--G", "a-f-", "a-f-G*", "**"]) {
    expectCode("tak/filter-pattern", () => compileFilter({ type: "type", types: [pattern] }));
  }
});

test("a filter that looks at position and type does not parse the detail", () => {
  const message = messageOf({ type: "a-h-G" });
  Object.defineProperty(message, "groupName", { get: () => assert.fail("the detail was read") });
  const passes = compileFilter({
    type: "and",
    filters: [
      { type: "team", teams: ["Cyan"] },
      { type: "not", filter: { type: "group", pattern: "x" } },
      { type: "affiliation", allow: ["friend"] },
    ],
  });
  assert.equal(passes(message), false);
});

const names = <Name extends string>(of: Readonly<Record<Name, unknown>>) => Object.keys(of) as Name[];

const leaf: fc.Arbitrary<FilterSpec> = fc.oneof(
  fc.record({
    type: fc.constant("affiliation" as const),
    allow: fc.subarray(names(affiliationCodes), { minLength: 1 }),
  }),
  fc.record({
    type: fc.constant("dimension" as const),
    allow: fc.subarray(names(dimensionCodes), { minLength: 1 }),
  }),
  fc.record({ type: fc.constant("team" as const), teams: fc.subarray(["Cyan", "Red"], { minLength: 1 }) }),
  fc.record({ type: fc.constant("group" as const), pattern: fc.constantFrom("^C", "e", "d$") }),
  fc.record({ type: fc.constant("uid" as const), uids: fc.subarray(["A", "B"], { minLength: 1 }) }),
  fc.record({ type: fc.constant("type" as const), types: fc.subarray(["a-f-*", "a-*-A"], { minLength: 1 }) }),
);

const spec: fc.Arbitrary<FilterSpec> = fc.letrec<{ node: FilterSpec }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({ type: fc.constant("not" as const), filter: tie("node") }),
    fc.record({
      type: fc.constantFrom("and" as const, "or" as const),
      filters: fc.array(tie("node"), { minLength: 1, maxLength: 5 }),
    }),
  ),
})).node;

const message: fc.Arbitrary<CotMessage> = fc
  .record({
    type: fc.constantFrom("a-f-G-U-C", "a-h-A", "a-n-S-X", "a-u", "b-t-f", "b-a-o-tbl", ""),
    uid: fc.constantFrom("A", "B", "C"),
    groupName: fc.constantFrom("Cyan", "Red", undefined),
  })
  .map(messageOf);

test("not not x is x, and both together are everything and nothing", () => {
  fc.assert(
    fc.property(spec, message, (x, given) => {
      const verdict = compileFilter(x)(given);
      const not: FilterSpec = { type: "not", filter: x };
      assert.equal(compileFilter({ type: "not", filter: not })(given), verdict);
      assert.equal(compileFilter({ type: "and", filters: [x, not] })(given), false);
      assert.equal(compileFilter({ type: "or", filters: [not, x] })(given), true);
      assert.equal(compileFilter({ type: "and", filters: [x] })(given), verdict);
      assert.equal(compileFilter({ type: "or", filters: [x, x] })(given), verdict);
    }),
  );
});

test("and and or give what their parts give, in any order, and follow De Morgan", () => {
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), message, (filters, given) => {
      const verdicts = filters.map((part) => compileFilter(part)(given));
      const and = compileFilter({ type: "and", filters })(given);
      const or = compileFilter({ type: "or", filters })(given);
      assert.equal(and, verdicts.every(Boolean));
      assert.equal(or, verdicts.some(Boolean));
      assert.equal(compileFilter({ type: "and", filters: filters.toReversed() })(given), and);
      const nots = filters.map((filter): FilterSpec => ({ type: "not", filter }));
      assert.equal(compileFilter({ type: "not", filter: { type: "or", filters: nots } })(given), and);
      assert.equal(compileFilter({ type: "not", filter: { type: "and", filters: nots } })(given), or);
    }),
  );
});
