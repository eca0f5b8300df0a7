/** Where instruments are heard: a file, a TCP connection, a UDP port, or the recording that comes with this host. */

import { createSocket } from "node:dgram";
import { createReadStream } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { SignalkServer } from "../server.ts";
import { type DecoderName, openDecoder } from "./decoder.ts";
import { Lines } from "./lines.ts";
import { recordedTrip } from "./recorded-trip.ts";

export interface InputSettings {
  /** The beginning of `$source`. */
  readonly label: string;
  readonly decoder: DecoderName;
  readonly from: /** Lines a second; from the beginning again when it ends. */
    | { readonly kind: "file"; readonly path: string; readonly linesPerSecond: number }
    | { readonly kind: "tcp"; readonly host: string; readonly port: number }
    | { readonly kind: "udp"; readonly port: number; readonly address?: string }
    | { readonly kind: "recording" };
}

export interface Input {
  readonly label: string;
  counts(): { readonly lines: number; readonly understood: number };
  close(): void;
}

const reconnectMs = 5_000;

/** @throws signalk/no-decoder */
export async function openInput(
  settings: InputSettings,
  server: SignalkServer,
  log: (line: string) => void,
): Promise<Input> {
  const decoder = await openDecoder(settings.decoder);
  const { label, from } = settings;
  let lines = 0;
  let understood = 0;
  const take = (line: string) => {
    lines++;
    // The decoder may not understand what a plugin does.
    if (settings.decoder === "nmea0183")
      server.events.emit({ type: "nmea0183", data: line, timestamp: server.clock.epochMs() });
    const delta = decoder.decode(line);
    if (delta === undefined) return;
    understood++;
    server.input(delta, label);
  };
  const close = open(from, { take, clock: server.clock, log: (line) => log(`${label}: ${line}`) });
  return { label, counts: () => ({ lines, understood }), close };
}

interface Wires {
  readonly take: (line: string) => void;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

function open(from: InputSettings["from"], wires: Wires): () => void {
  switch (from.kind) {
    case "file":
      return playFile(from, wires);
    case "tcp":
      return listenToServer(from, wires);
    case "udp":
      return listenToPort(from, wires);
    case "recording":
      return playRecording(wires);
  }
}

/** Bytes of a line and lines a second: no file is read faster than it is played. */
function playFile(
  { path, linesPerSecond }: { path: string; linesPerSecond: number },
  { take, clock, log }: Wires,
) {
  let cancel = () => {};
  let isOver = false;
  const waiting: string[] = [];
  const lines = new Lines((line) => waiting.push(line));
  const begin = () => {
    const stream = createReadStream(path, { encoding: "latin1", highWaterMark: 16_384 });
    stream.on("error", (error) => log(`cannot read ${path}: ${error.message}`));
    stream.on("data", (text) => {
      lines.write(String(text));
      stream.pause();
      drain(() => stream.resume());
    });
    stream.on("end", () => drain(beginAgain));
  };
  const beginAgain = () => {
    cancel = clock.after(1_000, begin);
  };
  const drain = (done: () => void) => {
    for (const line of waiting.splice(0, Math.max(1, Math.ceil(linesPerSecond / 10)))) take(line);
    if (!isOver) cancel = clock.after(100, () => (waiting.length > 0 ? drain(done) : done()));
  };
  begin();
  return () => {
    isOver = true;
    cancel();
  };
}

function listenToServer(
  { host, port }: { host: string; port: number },
  { take, clock, log }: Wires,
): () => void {
  let socket: Socket | undefined;
  let cancel = () => {};
  let isOver = false;
  const begin = () => {
    const lines = new Lines(take);
    socket = connect({ host, port });
    socket.setEncoding("latin1");
    socket.on("data", (text) => lines.write(String(text)));
    socket.on("error", (error) => log(`no connection to ${host}:${port}: ${error.message}`));
    socket.on("close", () => {
      if (!isOver) cancel = clock.after(reconnectMs, begin);
    });
  };
  begin();
  return () => {
    isOver = true;
    cancel();
    socket?.destroy();
  };
}

function listenToPort(
  { port, address }: { port: number; address?: string },
  { take, log }: Wires,
): () => void {
  const socket = createSocket("udp4");
  // A datagram is whole: what it has not ended is a line as well.
  socket.on("message", (data) => {
    const lines = new Lines(take);
    lines.write(`${data.toString("latin1")}\n`);
  });
  socket.on("error", (error) => log(`cannot listen on UDP port ${port}: ${error.message}`));
  socket.bind(port, address);
  return () => socket.close();
}

/** A second of the trip in a second; at its end it begins anew. */
function playRecording({ take, clock }: Wires): () => void {
  let cancel = () => {};
  let trip = recordedTrip();
  const second = () => {
    let next = trip.next();
    if (next.done) {
      trip = recordedTrip();
      next = trip.next();
    }
    for (const line of next.value ?? []) take(line);
    cancel = clock.after(1_000, second);
  };
  second();
  return () => cancel();
}
