/** What a process runs in tests instead of `process-entry.ts`: each call answers with a bit for each thing it reached. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { eagerlyByFlag } from "../../eager-compile.ts";
import { GuestSide } from "../guest-side/serve.ts";
import { PipeChannel } from "../pipe.ts";
import { kinds, message } from "../protocol.ts";

const channel = new PipeChannel(3);
const side = new GuestSide(channel, eagerlyByFlag);

const reaches: readonly (() => boolean)[] = [
  () => Object.keys(process.env).length > 0,
  () => readFileSync("/etc/hostname").length >= 0,
  () => writeFileSync("/tmp/reached", "") === undefined,
  () => spawnSync("true").error === undefined,
  () => new Worker("", { eval: true }).threadId > 0,
  () => createServer().listen(0).listening,
];

function reached(): number {
  return reaches.reduce((bits, reach, index) => {
    try {
      return reach() ? bits | (1 << index) : bits;
    } catch {
      return bits;
    }
  }, 0);
}

channel.send(message(kinds.done));
for (;;) {
  const received = channel.receive();
  if (received.kind !== kinds.call) {
    channel.send(await side.handle(received));
    continue;
  }
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setFloat64(0, reached(), true);
  channel.send(message(kinds.results, { item: 8, count: 1, payload }));
}
