/**
 * A server for plugins that runs as its owner would run it, in a process of its own: a real signalk-server with its own
 * loader, the same with ours in its place, laid out as npm would have installed it, or our small server.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { signalkServerFolder } from "../../bench/signalk/server-package.ts";
import { freePort } from "../../packages/cli/src/testing/free-port.ts";
import { layOut } from "../../packages/publish.ts";

const root = join(import.meta.dirname, "../..");

/** The real server with its own loader, the real one with ours, and our small one. */
export type Form = "theirs" | "ours" | "small";

/** A plugin's package, by the folder that it is in, and what it is configured with. */
export interface InstalledPlugin {
  readonly folder: string;
  readonly configuration?: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** JSON where it is some, else the text. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came back
  readonly body: any;
}

export interface RealServer {
  readonly port: number;
  readonly selfContext: string;
  readonly pid: number;
  /** @param waitMs For an answer; beyond it the request fails. */
  request(path: string, method?: string, body?: unknown, waitMs?: number): Promise<Answer>;
  close(): Promise<void>;
}

const uuid = "urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d";
const startMsMax = 60_000;
const answerMsMax = 10_000;

/** Why there is none to be had here; undefined where there is. */
export async function whyNoServer(): Promise<string | undefined> {
  try {
    await signalkServerFolder();
    return undefined;
  } catch (error) {
    return `signalk-server cannot be installed: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
}

/**
 * Starts one with these plugins, all enabled, and closes it when the test is over.
 *
 * @param environment More of it, for the process.
 * @param prepare     Puts more into its configuration folder.
 */
export async function openRealServer(
  t: TestContext,
  form: Form,
  plugins: readonly InstalledPlugin[],
  environment: Readonly<Record<string, string>> = {},
  prepare: (config: string) => Promise<void> = async () => {},
): Promise<RealServer> {
  const config = await mkdtemp(join(tmpdir(), "remora-signalk-server-"));
  await writeConfig(config, form);
  for (const plugin of plugins) await install(config, plugin);
  if (form !== "theirs") await installOurs(config);
  await prepare(config);
  const port = await freePort();
  const program = form === "small" ? await smallServer(config) : await realServer();
  const child = await start(program, { ...environmentOf(config, port), ...environment });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      // It may be in a plugin's loop, where it hears nothing else.
      child.kill("SIGKILL");
      await exited;
    }
    await rm(config, { recursive: true, force: true });
  };
  t.after(close);
  return {
    port,
    selfContext: `vessels.${uuid}`,
    pid: child.pid ?? 0, // one that was started has one
    request: (path, method, body, waitMs) => request(`http://127.0.0.1:${port}${path}`, method, body, waitMs),
    close,
  };
}

/** Asks until the answer is as wanted, or the time is over; gives the last answer. */
export async function until(
  server: Pick<RealServer, "request">,
  path: string,
  isWanted: (answer: Answer) => boolean,
  waitMs = answerMsMax,
): Promise<Answer> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const answer = await server.request(path);
    if (isWanted(answer) || performance.now() > endMs) return answer;
    // Another process decides when: it cannot be moved.
    await wait(25);
  }
}

async function writeConfig(config: string, form: Form): Promise<void> {
  const settings = {
    interfaces: { wasm: form === "theirs", appstore: false, tcp: false, "nmea-tcp": false },
    mdns: false,
  };
  const base = [{ context: "vessels.self", updates: [{ values: [{ path: "", value: { uuid } }] }] }];
  await mkdir(join(config, "plugin-config-data"));
  await mkdir(join(config, "node_modules"));
  await writeFile(join(config, "package.json"), '{"name":"boat","version":"1.0.0"}');
  await writeFile(join(config, "settings.json"), JSON.stringify(settings));
  await writeFile(join(config, "baseDeltas.json"), JSON.stringify(base));
}

async function install(config: string, { folder, configuration = {} }: InstalledPlugin): Promise<void> {
  const { name } = await manifestOf(folder);
  await cp(folder, join(config, "node_modules", name), {
    recursive: true,
    filter: (path) => !/\/(node_modules|target)$/.test(path),
  });
  const id = name.replace(/[@/]/g, "_");
  const settings = { enabled: true, enableDebug: false, configuration };
  await writeFile(join(config, "plugin-config-data", `${id}.json`), JSON.stringify(settings));
}

/** Our two packages as they are published, and what they depend on. */
async function installOurs(config: string): Promise<void> {
  const modules = join(config, "node_modules");
  for (const source of ["packages/remora", "hosts/signalk"]) {
    const { name } = await manifestOf(join(root, source));
    const { dependencies = {} } = await manifestOf(layOut(source, join(modules, name)));
    for (const dependency of Object.keys(dependencies)) {
      if (dependency === "remora") continue;
      await symlink(join(root, "node_modules", dependency), join(modules, dependency)).catch(isThere);
    }
  }
}

function isThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

async function manifestOf(folder: string): Promise<{ name: string; dependencies?: Record<string, string> }> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}

/** The program stands beside the packages, so that it is the published ones that it imports. */
async function smallServer(config: string): Promise<string> {
  const path = join(config, "small-server.ts");
  await cp(join(import.meta.dirname, "small-server.ts"), path);
  await installDecoders(config);
  return path;
}

/** Signal K's decoders for instruments, which a boat that has a signalk-server has as well. */
async function installDecoders(config: string): Promise<void> {
  const modules = join(await signalkServerFolder(), "node_modules");
  for (const name of ["@canboat/canboatjs", "@signalk/n2k-signalk", "@signalk/nmea0183-signalk"]) {
    const at = join(config, "node_modules", name);
    await mkdir(dirname(at), { recursive: true });
    await symlink(join(modules, name), at);
  }
}

async function realServer(): Promise<string> {
  return join(await signalkServerFolder(), "node_modules/signalk-server/bin/signalk-server");
}

function environmentOf(config: string, port: number): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: config,
    SIGNALK_NODE_CONFIG_DIR: config,
    SIGNALK_DISABLE_SERVER_UPDATES: "1",
    PORT: String(port),
    DEBUG: process.env.DEBUG ?? "",
  };
}

/** Resolves when it listens; its plugins may still be starting. */
async function start(program: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program], {
    cwd: dirname(program),
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  let isRunning = false;
  const tooLate = setTimeout(() => child.kill("SIGKILL"), startMsMax);
  const errors = createInterface({ input: child.stderr });
  errors.on("line", (line) => said.push(line));
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    isRunning = line.startsWith("signalk-server running");
    if (isRunning) break;
  }
  clearTimeout(tooLate);
  // What it says from now on is of no interest, and must not fill the pipe.
  child.stdout.resume();
  if (!isRunning) throw new Error(`The server did not start: ${said.join("\n")}`);
  return child;
}

async function request(url: string, method = "GET", body?: unknown, waitMs = answerMsMax): Promise<Answer> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(waitMs),
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get("Content-Type") ?? "", body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
