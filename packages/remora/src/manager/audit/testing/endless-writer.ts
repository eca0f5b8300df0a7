/** Writes to an audit trail until it is killed, and says of each line that it was written. */

import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { AuditTrail } from "../trail.ts";

// Node would write it when the process ends by itself, and this one never does.
flushCompileCache();
const [folder = ""] = process.argv.slice(2);
const trail = new AuditTrail({ folder, nowMs: () => Date.now(), fileBytesMax: 100_000, filesMax: 6 });
for (;;) {
  const { seq, hash } = trail.append({ kind: "gate.tested" });
  writeSync(1, `${seq} ${hash}\n`);
}
