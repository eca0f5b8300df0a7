/**
 * The real signalk-server: npm installs it beside the benchmark's other peers when it is first asked for, by its lock
 * file, and no script of any package runs. Its pages for browsers are left out.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

const pages = "@signalk/server-admin-ui";

/**
 * Why the server has no pages for browsers here; undefined where it has, which a test of those pages sees to: in the version
 * that the server's lock file has.
 */
export async function whyNoAdminPages(): Promise<string | undefined> {
  const modules = join(await signalkServerFolder(), "node_modules");
  const place = join(modules, "signalk-server/node_modules", pages);
  if (existsSync(place)) return undefined;
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  const cache = join(root, ".cache/signalk-admin-ui");
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "package.json"), '{"private":true}');
  const wanted = `${pages}@${packages[`node_modules/${pages}`].version}`;
  try {
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"];
    execFileSync("npm", ["install", ...flags, wanted], { cwd: cache, stdio: "pipe" });
  } catch (error) {
    return `${wanted} cannot be installed: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(cache, "node_modules", pages), place);
  return undefined;
}
