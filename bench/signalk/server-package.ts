/**
 * The real signalk-server: npm installs it beside the benchmark's other peers when it is first asked for, by its lock
 * file, and no script of any package runs. Its pages for browsers are left out.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { alone } from "../../examples/build-lock.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "bench/peers/signalk-server");

/** The folder that has it in its `node_modules`. Fails where npm reaches no registry. */
export async function signalkServerFolder(): Promise<string> {
  await alone(join(root, ".cache/signalk-server.lock"), async () => {
    if (existsSync(join(folder, "node_modules/signalk-server"))) return;
    execFileSync("npm", ["ci", "--ignore-scripts", "--omit=optional"], { cwd: folder, stdio: "pipe" });
  });
  return folder;
}
