/**
 * Programs of the host's, for a plugin that was granted exactly these with arguments of exactly these patterns. No
 * shell, no environment, no terminal; input, output, time and number are bounded. What a program does beyond that
 * is its own doing: granting one that runs others grants those as well.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { joinedBytes } from "../../base/index.ts";
import type { Gate } from "../gate.ts";
import type { SandboxLimits } from "../limits.ts";

export interface ExecRequest {
  /** An absolute path, as the grant names it. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** What it reads from its standard input. */
  readonly input?: Uint8Array;
}

export type ExecOutcome =
  | {
      readonly kind: "ended";
      readonly exitCode: number;
      readonly stdout: Uint8Array;
      readonly stderr: Uint8Array;
    }
  /** It was not run: not granted, too many at a time, too large an input, or there is no such program. */
  | { readonly kind: "refused"; readonly why: "denied" | "too-many" | "too-large" | "not-found" }
  /** It was killed. */
  | { readonly kind: "stopped"; readonly why: "time" | "output" | "closed" | "signal" };

const argumentsMax = 64;
const argumentLengthMax = 4_096;

export class Programs {
  readonly #gate: Gate;
  readonly #limits: SandboxLimits;
  /** What ends each, and the command as it passed the gate. */
  readonly #running = new Map<() => void, string>();

  constructor(gate: Gate, limits: SandboxLimits) {
    this.#gate = gate;
    this.#limits = limits;
    gate.onNarrowed(() => {
      for (const [stop, command] of [...this.#running]) if (!gate.gives("proc.exec", command)) stop();
    });
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Runs a program to its end. Never rejects. */
  async run(request: ExecRequest): Promise<ExecOutcome> {
    const { input = new Uint8Array(0) } = request;
    const isTooLarge =
      request.arguments.length > argumentsMax ||
      request.arguments.some((argument) => argument.length > argumentLengthMax) ||
      input.length > this.#limits.execInputBytesMax;
    if (isTooLarge) return { kind: "refused", why: "too-large" };
    const command = [request.program, ...request.arguments].map(word).join(" ");
    return this.#gate.act<ExecOutcome | Promise<ExecOutcome>>(
      "proc.exec",
      command,
      () => {
        if (this.#running.size >= this.#limits.execPendingMax) return { kind: "refused", why: "too-many" };
        return this.#spawn(request, command, input);
      },
      () => ({ kind: "refused", why: "denied" }),
    );
  }

  close(): void {
    for (const stop of [...this.#running.keys()]) stop();
  }

  #spawn(request: ExecRequest, command: string, input: Uint8Array): Promise<ExecOutcome> {
    const { execOutputBytesMax, execTimeMsMax } = this.#limits;
    return new Promise((resolve) => {
      const child = started(request);
      if (child === undefined) return resolve({ kind: "refused", why: "not-found" });
      const stdout: Uint8Array[] = [];
      const stderr: Uint8Array[] = [];
      let bytes = 0;
      const finish = (outcome: ExecOutcome): void => {
        clearTimeout(timer);
        this.#running.delete(close);
        for (const stream of child.stdio) stream?.destroy();
        resolve(outcome);
      };
      const stop = (why: "time" | "output" | "closed"): void => {
        child.kill("SIGKILL");
        finish({ kind: "stopped", why });
      };
      const close = (): void => stop("closed");
      const timer = setTimeout(() => stop("time"), execTimeMsMax);
      const collect = (parts: Uint8Array[]) => (part: Uint8Array) => {
        bytes += part.length;
        if (bytes > execOutputBytesMax) stop("output");
        else parts.push(part);
      };
      this.#running.set(close, command);
      child.stdout.on("data", collect(stdout));
      child.stderr.on("data", collect(stderr));
      child.on("error", () => finish({ kind: "refused", why: "not-found" }));
      child.on("close", (exitCode) => {
        if (exitCode === null) finish({ kind: "stopped", why: "signal" });
        else finish({ kind: "ended", exitCode, stdout: joinedBytes(stdout), stderr: joinedBytes(stderr) });
      });
      child.stdin.on("error", () => {}); // a program need not read all of its input
      child.stdin.end(input);
    });
  }
}

/** Undefined for some reasons why it cannot be; others come as an event. */
function started(request: ExecRequest): ChildProcessWithoutNullStreams | undefined {
  try {
    return spawn(request.program, request.arguments, {
      shell: false,
      env: {},
      cwd: tmpdir(),
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
  } catch {
    // Which it is (a way through what is no folder, a loop of links) is the host's business.
    return undefined;
  }
}

/** A word as grants write it: a space or a percent sign in it is escaped, so that a word is one word. */
function word(text: string): string {
  return text.replaceAll("%", "%25").replaceAll(" ", "%20");
}
