/** Messages for the tests of filters, routes and chain: only what the test is about needs to be said. */

import assert from "node:assert/strict";
import { isRemoraError } from "remora/base";
import type { CotFormat, CotMessage } from "../cot/message.ts";
import { compileFilter } from "./compile.ts";
import type { FilterSpec } from "./spec.ts";

export function messageOf(fields: Partial<CotMessage> = {}): CotMessage {
  return {
    format: "xml",
    type: "a-f-G-U-C",
    uid: "ANDROID-1",
    how: "m-g",
    timeMs: 1_767_225_600_000,
    startMs: 1_767_225_600_000,
    staleMs: 1_767_225_660_000,
    time: "2026-01-01T00:00:00.000Z",
    lat: 54.3,
    lon: 10.1,
    hae: undefined,
    ce: undefined,
    le: undefined,
    callsign: undefined,
    groupName: undefined,
    groupRole: undefined,
    bytes: (_format: CotFormat) => new Uint8Array(0),
    xml: () => "<event/>",
    ...fields,
  };
}

export function expectPasses(spec: FilterSpec, ...messages: Partial<CotMessage>[]): void {
  const passes = compileFilter(spec);
  for (const fields of messages)
    assert.equal(passes(messageOf(fields)), true, JSON.stringify({ spec, fields }));
}

export function expectBlocks(spec: FilterSpec, ...messages: Partial<CotMessage>[]): void {
  const passes = compileFilter(spec);
  for (const fields of messages)
    assert.equal(passes(messageOf(fields)), false, JSON.stringify({ spec, fields }));
}

export function expectCode(code: string, act: () => unknown): void {
  assert.throws(act, (error) => isRemoraError(error, code));
}
