/** The program as its user starts it, and clients of the host that it runs. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const main = join(import.meta.dirname, "..", "main.ts");

/** The program as its user starts it, ended with the test if it did not end before. */
export function start(t: TestContext, ...args: readonly string[]) {
  return startWith(t, {}, ...args);
}

/** What goes to an open file is not read here. */
export function startWith(
  t: TestContext,
  { out = "pipe", err = "pipe" }: { readonly out?: "pipe" | number; readonly err?: "pipe" | number },
  ...args: readonly string[]
) {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], { stdio: ["ignore", out, err] });
  t.after(() => child.kill("SIGKILL"));
  const written = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => (written.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (written.err += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...written }));
  return { child, ended };
}

export function settings(t: TestContext, yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tak.yaml");
  writeFileSync(file, yaml);
  return file;
}

/** The host tells on standard error where it listens. */
export function listeningPort(child: ChildProcess): Promise<number> {
  const found = Promise.withResolvers<number>();
  let text = "";
  child.stderr?.on("data", (part) => {
    text += part;
    const match = /127\.0\.0\.1:(\d+)/.exec(text);
    if (match !== null) found.resolve(Number(match[1]));
  });
  child.on("close", () => found.reject(new Error(`It does not say where it listens: ${text}`)));
  return found.promise;
}

/** Resolves when the program has printed this on standard output. */
export function printed(child: ChildProcess, what: RegExp): Promise<void> {
  const found = Promise.withResolvers<void>();
  let text = "";
  child.stdout?.on("data", (part) => {
    text += part;
    if (what.test(text)) found.resolve();
  });
  child.on("close", () => found.reject(new Error(`It does not print ${what}: ${text}`)));
  return found.promise;
}

export async function client(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  // Reads, so that it notices when the host says goodbye.
  socket.resume();
  return socket;
}

export function event(at: { uid: string; lat: number; lon: number }): string {
  const now = new Date();
  const stale = new Date(now.getTime() + 60_000);
  const [time, until] = [now.toISOString(), stale.toISOString()];
  return `<event version="2.0" uid="${at.uid}" type="a-f-S" how="m-g" time="${time}" start="${time}" stale="${until}"><point lat="${at.lat}" lon="${at.lon}" hae="0" ce="10" le="10"/><detail/></event>`;
}
