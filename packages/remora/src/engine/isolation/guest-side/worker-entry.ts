/**
 * What a thread of the pool runs. While calls come it blocks on the mailbox; when none has come for a while it goes
 * back to its event loop, so that what waits for the end of a job (weak references, finalizers) is done.
 */

import { workerData } from "node:worker_threads";
import { Mailbox, MailboxChannel, type MailboxSeed, turns } from "../mailbox.ts";
import { GuestSide } from "./serve.ts";

/** How long the thread stays blocked without a message. */
const blockedMsMax = 50;

// The pool gave it.
const mailbox = new Mailbox((workerData as { readonly seed: MailboxSeed }).seed);
const side = new GuestSide(new MailboxChannel(mailbox));

// Waiting for the turn alone does not keep a thread's event loop alive.
const alive = setInterval(() => {}, 2 ** 30);

mailbox.give(turns.host); // Ready.
for (;;) {
  if (!mailbox.await(turns.host, blockedMsMax)) await mailbox.whenTurned(turns.host);
  if (mailbox.turn === turns.over) break;
  if (mailbox.turn !== turns.guest) continue;
  const answer = side.handle(mailbox.receive());
  mailbox.send(answer instanceof Promise ? await answer : answer, turns.host);
}
clearInterval(alive);
