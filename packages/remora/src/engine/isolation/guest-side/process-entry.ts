/** What a process of the level `process` runs: it reads messages and answers them until the host is gone. */

import { eagerlyByFlag } from "../../eager-compile.ts";
import { PipeChannel } from "../pipe.ts";
import { kinds, message } from "../protocol.ts";
import { GuestSide } from "./serve.ts";

/** The one thing that the process was left with. */
const pipeFd = 3;

const channel = new PipeChannel(pipeFd);
const side = new GuestSide(channel, eagerlyByFlag);
channel.send(message(kinds.done)); // Ready.
for (;;) {
  channel.send(await side.handle(channel.receive()));
  // The end of a job: what waits for one, such as weak references, is done.
  await new Promise((resolve) => setImmediate(resolve));
}
