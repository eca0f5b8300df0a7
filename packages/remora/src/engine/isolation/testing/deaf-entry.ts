/** What a thread runs in tests instead of `worker-entry.ts`: as that, but a call of the guest is never answered. */

import { workerData } from "node:worker_threads";
import { GuestSide } from "../guest-side/serve.ts";
import { Mailbox, MailboxChannel, type MailboxSeed, turns } from "../mailbox.ts";
import { kinds } from "../protocol.ts";

// The pool gave it.
const mailbox = new Mailbox((workerData as { readonly seed: MailboxSeed }).seed);
const side = new GuestSide(new MailboxChannel(mailbox));
mailbox.give(turns.host);
let isDeaf = false;
while (mailbox.await(turns.host, Number.POSITIVE_INFINITY)) {
  const received = mailbox.receive();
  // It hears again after the thread was replaced: `add` has the number 0.
  isDeaf ||= received.kind === kinds.call && received.item !== 0;
  if (isDeaf) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  mailbox.send(await side.handle(received), turns.host);
}
