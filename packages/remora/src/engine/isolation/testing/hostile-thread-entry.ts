/**
 * What a thread runs in tests instead of `worker-entry.ts`: as that, but the text of a call says what it puts beside an
 * answer in place of its payload, or throws.
 */

import { type MessagePort, workerData } from "node:worker_threads";
import { GuestSide } from "../guest-side/serve.ts";
import { Mailbox, MailboxChannel, type MailboxSeed, turns } from "../mailbox.ts";
import { kinds, message, payloadBytesMax } from "../protocol.ts";

// The pool gave it.
const { seed } = workerData as { readonly seed: MailboxSeed };
const mailbox = new Mailbox(seed);
const side = new GuestSide(new MailboxChannel(mailbox));
const port: MessagePort = seed.port;

const attacks: Readonly<Record<string, () => void>> = {
  "nothing-beside": () => {},
  "a-length-beside": () => port.postMessage({ length: 5 }),
  "text-beside": () => port.postMessage("text"),
  "shared-beside": () => port.postMessage(new Uint8Array(new SharedArrayBuffer(64))),
  "too-much-beside": () => port.postMessage(new Uint8Array(payloadBytesMax + 1)),
  "an-error-that-is-no-text": () => {
    throw { toString: 1 };
  },
};

/** The word of the head that says where the payload is; see `mailbox.ts`. */
const isBeside = 7;

mailbox.give(turns.host);
while (mailbox.await(turns.host, Number.POSITIVE_INFINITY)) {
  const received = mailbox.receive();
  const asked = new TextDecoder("latin1").decode(Uint8Array.from(received.payload));
  const name =
    received.kind === kinds.call ? Object.keys(attacks).find((each) => asked.includes(each)) : undefined;
  if (name === undefined) {
    mailbox.send(await side.handle(received), turns.host);
    continue;
  }
  attacks[name]?.();
  // All of a message but its turn.
  mailbox.send(message(kinds.results, { count: 1 }), turns.guest);
  mailbox.words[isBeside] = 1;
  mailbox.give(turns.host);
}
