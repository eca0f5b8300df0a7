/** For the network's tests: a clock that a test moves, a log of what a connection reports, certificates made here. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RemoraError } from "remora/base";
import type { CotMessage } from "../cot/message.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./connection.ts";

export class FakeClock implements Clock {
  #ms = 0;
  readonly #timers = new Map<object, { readonly atMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#ms;
  }
  timeMs(): number {
    return Date.UTC(2026, 2, 14) + this.#ms;
  }
  after(ms: number, callback: () => void): () => void {
    const key = {};
    this.#timers.set(key, { atMs: this.#ms + ms, callback });
    return () => this.#timers.delete(key);
  }

  /** Lets time pass, and with it every timer in its order. */
  pass(ms: number): void {
    const endMs = this.#ms + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, { atMs }]) => atMs <= endMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#ms = Math.max(this.#ms, due[1].atMs);
      due[1].callback();
    }
    this.#ms = endMs;
  }

  get timers(): number {
    return this.#timers.size;
  }
}

const REPORT_MS_MAX = 10_000;

/** What was reported, and a way to wait until something is. */
export class Log {
  readonly opened: Connection[] = [];
  readonly messages: CotMessage[] = [];
  readonly bad: RemoraError[] = [];
  readonly closed: (RemoraError | undefined)[] = [];
  readonly refused: RemoraError[] = [];
  readonly failed: RemoraError[] = [];
  #waiting: (() => void)[] = [];

  onOpen(connection: Connection): void {
    this.opened.push(connection);
    this.#wake();
  }
  onMessage(message: CotMessage, _connection: Connection): void {
    this.messages.push(message);
    this.#wake();
  }
  onBadEvent(error: RemoraError, _connection: Connection): void {
    this.bad.push(error);
    this.#wake();
  }
  onClose(_connection: Connection, error: RemoraError | undefined): void {
    this.closed.push(error);
    this.#wake();
  }
  onRefused(error: RemoraError): void {
    this.refused.push(error);
    this.#wake();
  }
  onConnectFailed(error: RemoraError): void {
    this.failed.push(error);
    this.#wake();
  }

  get uids(): string[] {
    return this.messages.map(({ uid }) => uid);
  }
  get badCodes(): string[] {
    return this.bad.map(({ code }) => code);
  }

  /** Is done as soon as it holds, looking again after each report; fails when nothing more is reported for long. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        timer = setTimeout(() => reject(new Error(`Still waiting for ${holds}`)), REPORT_MS_MAX);
      });
      clearTimeout(timer);
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

export interface Certificates {
  readonly ca: Buffer;
  readonly server: { readonly key: Buffer; readonly cert: Buffer };
  readonly client: { readonly key: Buffer; readonly cert: Buffer };
}

/** A root and, signed by it, a server's certificate for 127.0.0.1 and a client's; undefined without `openssl`. */
export function makeCertificates(): Certificates | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tak-certificates-"));
  const run = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  try {
    run("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=root");
    for (const [name, extension] of [
      ["server", "subjectAltName=IP:127.0.0.1"],
      ["client", "extendedKeyUsage=clientAuth"],
    ] as const) {
      const request = ["-keyout", `${name}.key`, "-out", `${name}.pem`, "-days", "2", "-subj", `/CN=${name}`];
      run("req", "-x509", ...key, ...request, "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", extension);
    }
    const read = (name: string) => readFileSync(join(folder, name));
    return {
      ca: read("ca.pem"),
      server: { key: read("server.key"), cert: read("server.pem") },
      client: { key: read("client.key"), cert: read("client.pem") },
    };
  } catch (error) {
    // No openssl on this machine: the tests that need it say so.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
