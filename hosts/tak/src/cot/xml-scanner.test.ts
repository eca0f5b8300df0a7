import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { EVENTS, UNIT } from "./events.fixture.ts";
import { cotLimits } from "./limits.ts";
import { FAILED, INCOMPLETE } from "./xml-markup.ts";
import { XmlScanner } from "./xml-scanner.ts";

const scanner = new XmlScanner(cotLimits());

function scan(xml: string | Buffer): number {
  const bytes = Buffer.from(xml as string);
  return scanner.scanEvent(bytes, 0, bytes.length);
}

function expectFailed(xml: string | Buffer, kind: string): void {
  assert.equal(scan(xml), FAILED, String(xml));
  assert.equal(scanner.failure?.kind, kind, String(xml));
}

/** What an independent strict parser says of the same bytes. */
function isWellFormed(bytes: Buffer): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return false;
  }
  const parser = new SaxesParser();
  let isGood = true;
  parser.on("error", () => {
    isGood = false;
  });
  parser.write(text).close();
  return isGood;
}

const event = (detail: string, point = '<point lat="1" lon="2"/>') =>
  `<event uid="u" type="a">${point}<detail>${detail}</detail></event>`;

test("a whole event is scanned to its end, whatever stands behind it", () => {
  for (const [name, xml] of Object.entries(EVENTS)) {
    assert.equal(scan(xml), Buffer.byteLength(xml), name);
    assert.equal(scan(`${xml}<event`), Buffer.byteLength(xml), name);
    assert.ok(isWellFormed(Buffer.from(xml)), name);
  }
});

test("an event cut anywhere is incomplete, never whole and never bad", () => {
  for (const [name, xml] of Object.entries(EVENTS)) {
    const bytes = Buffer.from(xml);
    for (let length = "<event".length; length < bytes.length; length++) {
      assert.equal(scan(bytes.subarray(0, length)), INCOMPLETE, `${name} cut at ${length}`);
    }
  }
});

describe("what is not well formed is found", () => {
  const details = [
    "<a>",
    "</a>",
    "<a></b>",
    "<a></ab>",
    "<ab></a>",
    "<a b></a>",
    "<a b=c/>",
    '<a b="c"d="e"/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    "<1a/>",
    "< a/>",
    "<a / >",
    "a ]]> b",
    "<!-- a -- b -->",
    "<!-- a --->",
    "<!ELEMENT a>",
    "<?1?>",
    "<?XML a?>",
    "<?a?b?c",
    "\u0000",
    "\u0008",
    '<a b="\u0001"/>',
    "\uFFFE",
    "<detail2/></detail><detail>",
  ];
  for (const detail of details) {
    test(JSON.stringify(detail), () => expectFailed(event(detail), "malformed"));
  }
  test("bytes that are not UTF-8", () => {
    for (const hex of ["ff", "c0af", "e08080", "eda080", "f4908080", "80", "c3"]) {
      const [before = "", after = ""] = event("@").split("@");
      expectFailed(
        Buffer.concat([Buffer.from(before), Buffer.from(hex, "hex"), Buffer.from(after)]),
        "malformed",
      );
    }
  });
  test("a second point or detail, since a filter and a receiver might take different ones", () => {
    expectFailed(event("", '<point lat="1" lon="2"/><point lat="3" lon="4"/>'), "malformed");
    expectFailed('<event><point lat="1" lon="2"/><detail/><detail/></event>', "malformed");
  });
});

test("references are the five names and the characters of XML by number, and nothing else", () => {
  assert.ok(scan(event('&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;<a b="&#10;"/>')) > 0);
  for (const reference of [
    "&lol;",
    "&;",
    "&#0;",
    "&#xD800;",
    "&#xFFFF;",
    "&#x110000;",
    "&#1a;",
    "&AMP;",
    "&toString;",
  ]) {
    expectFailed(event(reference), "entity");
    expectFailed(event(`<a b="${reference}"/>`), "entity");
  }
});

test("another event or document inside of an event is told from other bad XML", () => {
  const nested = [
    "<event>",
    "<event/>",
    '<?xml version="1.0"?>',
    "<!-- </event> -->",
    "<![CDATA[</event>]]>",
  ];
  for (const detail of nested) expectFailed(event(detail), "nested-event");
  expectFailed('<event uid="<?xml version="1.0"?><event uid="b">', "nested-event");
  expectFailed(event("<!DOCTYPE a>"), "doctype");
  // Its name only begins so.
  assert.ok(scan(event("<events></events><event-log/>")) > 0);
});

test("depth and attributes are bounded, and the bound itself is allowed", () => {
  const deep = (levels: number) => event("<a>".repeat(levels - 2) + "</a>".repeat(levels - 2));
  const { depthMax, attributesMax } = cotLimits();
  assert.ok(scan(deep(depthMax)) > 0);
  expectFailed(deep(depthMax + 1), "limit");
  const wide = (count: number) =>
    event(`<a ${Array.from({ length: count }, (_, k) => `b${k}="c"`).join(" ")}/>`);
  assert.ok(scan(wide(attributesMax)) > 0);
  expectFailed(wide(attributesMax + 1), "limit");
});

test("an independent strict parser accepts everything that the scanner does, whatever was done to it", () => {
  const bases = Object.values(EVENTS).map((xml) => Buffer.from(xml));
  const tokens = [
    "<",
    ">",
    "/",
    "&",
    "]]>",
    "--",
    '"',
    "'",
    "=",
    " ",
    "<a>",
    "</a>",
    "<!--",
    "<?a?>",
    "é",
    "\0",
    "&#9;",
  ];
  const edit = fc.record({
    place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    removed: fc.integer({ min: 0, max: 12 }),
    added: fc.oneof(
      fc.constantFrom(...tokens).map((token) => Buffer.from(token)),
      fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...bases), fc.array(edit, { minLength: 1, maxLength: 3 }), (base, edits) => {
      let bytes = base;
      for (const { place, removed, added } of edits) {
        const at = Math.floor(place * bytes.length);
        bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
      }
      if (!bytes.subarray(0, 6).equals(Buffer.from("<event"))) return;
      const end = scanner.scanEvent(bytes, 0, bytes.length);
      if (end > 0) assert.ok(isWellFormed(bytes.subarray(0, end)), bytes.toString());
      // And the other way round, but for what XML allows and a stream of events does not.
      else if (
        end === FAILED &&
        scanner.failure?.kind === "malformed" &&
        !/second/.test(scanner.failure.found)
      ) {
        assert.ok(!isWellFormed(bytes), `${JSON.stringify(scanner.failure)} in ${bytes.toString()}`);
      }
    }),
    { numRuns: 3000 },
  );
});

test("content of a detail is balanced by itself", () => {
  const scanDetail = (xml: string) => scanner.scanDetail(Buffer.from(xml), 0, Buffer.byteLength(xml));
  for (const xml of ["", " ", "<a/>", "<a>b</a> c ]", "]]", "<!-- a --><![CDATA[>]]>"]) {
    assert.equal(scanDetail(xml), Buffer.byteLength(xml), xml);
  }
  for (const xml of [
    "<a>",
    "</detail>",
    "</detail><detail>",
    "<a",
    "<",
    "&",
    "&amp",
    "<!--",
    "<event/>",
    "</event>",
  ]) {
    assert.equal(scanDetail(xml), FAILED, xml);
  }
});

test("the children of the detail are those directly inside it", () => {
  const bytes = Buffer.from(UNIT);
  const names = scanner
    .scanChildrenOfEvent(bytes, 0, bytes.length)
    .map(({ nameStart, nameEnd }) => bytes.toString("utf8", nameStart, nameEnd));
  assert.deepEqual(names, ["contact", "__group", "precisionlocation", "status", "takv", "track", "uid"]);
});
