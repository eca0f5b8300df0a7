/**
 * One process: Node itself, under its permission model with nothing allowed, with an empty environment and one pipe. It
 * gets its code through that pipe, since it may not read a file.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { execPath } from "node:process";
import { serialize } from "node:v8";
import { ForgedMessage } from "./face.ts";
import { bootText, type IsolateCode } from "./isolate-code.ts";
import type { Receiver, Transport } from "./link.ts";
import { headOf, PipeReader } from "./pipe.ts";
import type { Message } from "./protocol.ts";

/** Signals that somebody else sent: the system for want of memory, or the operator. The others are crashes. */
const foreignSignals: readonly (NodeJS.Signals | null)[] = ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"];

/** Nothing is allowed. No flag is V8's own: with the host's flags it takes the compiled script as it is. */
const processFlags = ["--permission", "--no-warnings"];

/** From the end of the pipe to the end of the process, which says more about why. */
const exitMsMax = 500;

export interface ProcessLimits {
  /** Megabytes of JavaScript objects: values on their way. The guest's memory is not in it. */
  readonly heapMbMax: number;
}

type PipeEnd = NodeJS.ReadWriteStream & { ref(): void; unref(): void; destroy(): void };

export class GuestProcess implements Transport {
  readonly #receiver: Receiver;
  readonly #child: ChildProcess;
  readonly #pipe: PipeEnd;
  readonly #reader = new PipeReader();
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #isReady = false;
  /** Nothing may come but while it has the turn: at first, to say that it is ready. */
  #isItsTurn = true;
  #isOver = false;
  #shipment: Uint8Array | undefined;

  constructor(code: IsolateCode, receiver: Receiver, { heapMbMax }: ProcessLimits) {
    this.#receiver = receiver;
    const flags = [...processFlags, `--max-old-space-size=${heapMbMax}`];
    this.#child = spawn(execPath, [...flags, "-e", processText], {
      env: {},
      cwd: "/",
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    // The fourth was asked to be a pipe, which is a socket at this end.
    this.#pipe = this.#child.stdio[3] as unknown as PipeEnd;
    this.#pipe.on("data", (chunk: Uint8Array) => this.#read(chunk));
    this.#pipe.on("error", () => {}); // Its end is told by "close".
    this.#pipe.on("close", () => setTimeout(() => this.kill("it closed its pipe"), exitMsMax).unref());
    this.#child.on("error", (error) => {
      // One that never began does not end either.
      if (this.#child.pid === undefined) this.#gone.resolve();
      this.#over(String(error), false);
    });
    this.#child.on("exit", (exitCode, signal) => this.#exited(exitCode, signal));
    const packed = serialize(code);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(packed.length);
    this.#pipe.write(length);
    this.#pipe.write(packed);
  }

  /** Resolves when the process takes messages, or is over. */
  async ready(): Promise<void> {
    await this.#ready.promise;
    this.hold(false);
  }

  send(sent: Message): void {
    this.#isItsTurn = true;
    const payload = this.#shipment ?? sent.payload;
    this.#shipment = undefined;
    this.#pipe.write(headOf({ ...sent, payload }));
    // A copy: it is written after the packet's memory has other uses.
    if (payload.length > 0) this.#pipe.write(Uint8Array.from(payload));
  }

  ship(shipment: unknown): void {
    this.#shipment = serialize(shipment);
  }

  stop(): boolean {
    return false;
  }

  hold(isBusy: boolean): void {
    const verb = isBusy ? "ref" : "unref";
    this.#child[verb]();
    this.#pipe[verb]();
  }

  kill(reason: string): void {
    this.#child.kill("SIGKILL");
    this.#over(reason, false);
  }

  async end(reason: string): Promise<void> {
    this.kill(reason);
    // Whoever waits for its end may have nothing else that keeps the program alive.
    this.#child.ref();
    await this.#gone.promise;
  }

  #read(chunk: Uint8Array): void {
    if (this.#isOver) return;
    let received: Message | undefined;
    try {
      if (!this.#isItsTurn) throw new ForgedMessage("bytes out of turn");
      received = this.#reader.push(chunk);
    } catch (error) {
      this.#child.kill("SIGKILL");
      this.#over(error instanceof Error ? error.message : String(error), true);
      return;
    }
    if (received === undefined) return;
    this.#isItsTurn = false;
    if (this.#isReady) {
      this.#receiver.received(received);
      return;
    }
    this.#isReady = true;
    this.#ready.resolve();
  }

  #exited(exitCode: number | null, signal: NodeJS.Signals | null): void {
    this.#gone.resolve();
    const how = signal ?? `exit code ${exitCode}`;
    this.#over(`its process ended (${how})`, !foreignSignals.includes(signal) || signal === null);
  }

  #over(reason: string, isGuestsFault: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ready.resolve();
    this.#pipe.destroy();
    this.#receiver.ended({ reason, isGuestsFault });
  }
}

/** A script that Node evaluates in the new process. */
const processText = `const { readSync } = require("node:fs");
function read(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = readSync(3, bytes, at, length - at);
    if (count === 0) throw new Error("The host is gone");
    at += count;
  }
  return bytes;
}
const code = require("node:v8").deserialize(read(read(4).readUInt32LE(0)));
${bootText}`;
