/**
 * What a process runs in tests instead of `process-entry.ts`: it behaves until a guest is called, and then sends what
 * the host must not believe. Which thing it is stands in the arguments of the call: its name, or its place in the list of
 * those for a core module; and where a piece of memory is asked for, in its address.
 */

import { writeSync } from "node:fs";
import { eagerlyByFlag } from "../../eager-compile.ts";
import { encodeReport } from "../error-report.ts";
import { GuestSide } from "../guest-side/serve.ts";
import { headOf, PipeChannel } from "../pipe.ts";
import { kinds, type Message, message } from "../protocol.ts";

const pipeFd = 3;
const channel = new PipeChannel(pipeFd);
const side = new GuestSide(channel, eagerlyByFlag);

const bytes = (length: number) => new Uint8Array(length).fill(0xff);
const failure = (report: object) => {
  const payload = encodeReport({ code: "engine/trap", details: {}, ...report });
  return message(kinds.results, { item: 0, count: 0, payload });
};

const forgeries: Readonly<Record<string, () => Message>> = {
  "another-kind": () => message(kinds.done),
  "unknown-kind": () => ({ ...message(kinds.done), kind: 99 }),
  "too-many-results": () => message(kinds.results, { count: 5, item: 40, payload: bytes(40) }),
  "no-results": () => message(kinds.results, { count: 0, item: 0 }),
  "negative-count": () => message(kinds.results, { count: -1, item: 0 }),
  "cut-off-results": () => message(kinds.results, { count: 1, item: 1_000_000 }),
  "a-report-of-nan": () => message(kinds.results, { count: 1, item: 8, first: NaN, payload: bytes(8) }),
  "a-report-below-zero": () => message(kinds.results, { count: 1, item: 8, third: -1, payload: bytes(8) }),
  "packet-of-nonsense": () => message(kinds.results, { count: 1, item: 48, payload: bytes(48) }),
  "failure-that-is-none": () => message(kinds.results, { count: 0, item: 0, payload: bytes(20) }),
  "unknown-code": () => failure({ code: "engine/no-such-thing" }),
  "code-of-every-object": () => failure({ code: "engine/constructor" }),
  "layer-of-every-object": () => failure({ code: "__proto__/toString" }),
  "details-that-throw": () => failure({ code: "component/missing-imports" }),
  "unknown-thrown": () => failure({ thrown: 77 }),
  "no-such-host-function": () => message(kinds.hostCall, { item: 99, count: 1 }),
  "host-arguments-of-nonsense": () => message(kinds.hostCall, { item: 0, count: 1, payload: bytes(64) }),
  "host-call-of-too-few-bytes": () => message(kinds.hostCall, { item: 0, count: 1, payload: bytes(3) }),
  "resource-that-is-none": () => message(kinds.dropResource, { item: 0, first: 12 }),
  "memory-without-end": () => message(kinds.hostCall, { item: 0, second: 2 ** 40, payload: bytes(8) }),
};

const forgedPieces: readonly Message[] = [
  message(kinds.done),
  message(kinds.memory, { item: 1, payload: bytes(3) }),
  message(kinds.memory, { item: 1, payload: bytes(1_000_000) }),
  message(kinds.memory, { item: 0, payload: bytes(8) }),
  message(kinds.memory, { item: 2, payload: bytes(8) }),
  message(kinds.hostCall, { item: 0, count: 1, payload: bytes(8) }),
];

const attacks: Readonly<Record<string, () => void>> = {
  "two-messages": () => {
    channel.send(message(kinds.hostCall, { item: 99 }));
    channel.send(message(kinds.hostCall, { item: 99 }));
  },
  "oversized-head": () => {
    const head = headOf(message(kinds.results));
    new DataView(head.buffer).setInt32(16, 0x7fff_ffff, true);
    writeSync(pipeFd, head);
  },
  "negative-length": () => {
    const head = headOf(message(kinds.results));
    new DataView(head.buffer).setInt32(16, -5, true);
    writeSync(pipeFd, head);
  },
  flood: () => {
    for (;;) writeSync(pipeFd, bytes(65_536));
  },
  truncated: () => {
    writeSync(pipeFd, headOf(message(kinds.results)).subarray(0, 20));
    throw new Error("over");
  },
  "behind-an-answer": () => {
    channel.send(message(kinds.results, { count: 1 }));
    // By then it was read, and nothing more is asked for.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    writeSync(pipeFd, headOf(message(kinds.results)).subarray(0, 20));
  },
  "heap-without-end": () => {
    for (const kept: unknown[] = []; ; ) kept.push(new Array(100_000).fill(0).map(() => ({})));
  },
  silence: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
};

const names = [...Object.keys(forgeries), ...Object.keys(attacks)];
const ofModules = ["memory-without-end", "host-call-of-too-few-bytes"];

function attackIn(payload: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(payload);
  const named = names.find((name) => text.includes(name));
  return named ?? ofModules[new DataView(payload.buffer, payload.byteOffset).getFloat64(0, true)] ?? "";
}

channel.send(message(kinds.done));
for (;;) {
  const received = channel.receive();
  const attack = received.kind === kinds.call ? attackIn(received.payload) : "";
  attacks[attack]?.();
  const forged = received.kind === kinds.peek ? forgedPieces[received.first] : forgeries[attack]?.();
  channel.send(forged ?? (await side.handle(received)));
}
