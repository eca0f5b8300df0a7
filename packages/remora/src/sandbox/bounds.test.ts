/** Every limit of the sandbox has an attack here that tries to take more: the table's type names them all. */

import assert from "node:assert/strict";
import * as dgram from "node:dgram";
import * as net from "node:net";
import { after, before, test } from "node:test";
import { WebSocketServer } from "ws";
import { isRemoraError } from "../base/index.ts";
import { ComponentError } from "../component/index.ts";
import type { Grant } from "../policy/index.ts";
import { FsError } from "./fs/errno.ts";
import { HttpFailure } from "./http/failure.ts";
import type { WholeRequest } from "./http/request.ts";
import type { SandboxLimits } from "./limits.ts";
import { suspendedWaiting } from "./machine/waiting.ts";
import { SocketError } from "./net/sockets.ts";
import type { monotonicClock } from "./preview2/clocks.ts";
import type { preopens } from "./preview2/filesystem.ts";
import type { Pollable } from "./preview2/poll.ts";
import type { random } from "./preview2/random.ts";
import { type TestServer, testServer } from "./testing/http-servers.ts";
import { interfaceOf, type TestSandbox, testSandbox } from "./testing/sandboxes.ts";

let web: TestServer;
let origin = "";
let echo: WebSocketServer;
let flooding: net.Server;
before(async () => {
  web = await testServer((request, response) => {
    const [, kind, amount = "0"] = request.url?.split("/") ?? [];
    if (kind === "hang") return;
    if (kind === "redirect") response.writeHead(302, { location: `/redirect/${Number(amount) + 1}` });
    if (kind === "headers")
      for (let index = 0; index < 40; index++) response.setHeader(`x-${index}`, "value");
    response.end("b".repeat(kind === "body" ? Number(amount) : 1));
  });
  origin = `http://127.0.0.1:${web.port}`;
  echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  echo.on("connection", (socket) => {
    for (let index = 0; index < 200; index++) socket.send("m".repeat(300));
  });
  await new Promise((resolve) => echo.once("listening", resolve));
  flooding = net.createServer((socket) => socket.on("error", () => {}).pause());
  await new Promise<void>((resolve) => flooding.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  for (const client of echo.clients) client.terminate();
  echo.close();
  flooding.close();
  await web.close();
});

const node = process.execPath;
const word = (text: string) => text.replaceAll("%", "%25").replaceAll(" ", "%20");
const program = `${word(node)} -e *`;
const portOf = (server: { address(): unknown }) => (server.address() as net.AddressInfo).port; // all are on TCP

/** All that may be granted, so that only the limit stands in the way. */
function grants(): Grant[] {
  return [
    { capability: "wasi.base" },
    { capability: "clock.read" },
    { capability: "random.read" },
    { capability: "fs.private" },
    { capability: "kv.store" },
    { capability: "net.http", origins: [origin, `ws://127.0.0.1:${portOf(echo)}`] },
    {
      capability: "net.socket",
      sockets: [
        "tcp connect 127.0.0.1 *",
        "udp connect 127.0.0.1 *",
        "udp listen 127.0.0.1 0",
        "tcp listen 127.0.0.1 0",
        "tcp connect name.example *",
        "tcp connect 192.0.2.1 9",
      ],
    },
    { capability: "proc.exec", commands: [program] },
  ];
}

interface Attack {
  /** What the limit is set to. */
  readonly max: number;
  /** Tries to take more; gives how much was had. */
  readonly take: (tested: TestSandbox) => number | Promise<number>;
  /** How much it may be, where that is not `max`; see the limit. */
  readonly had?: number;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether what was thrown is a refusal in any of the sandbox's terms; all else is a failure of the test. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof FsError ||
    error instanceof ComponentError ||
    error instanceof SocketError ||
    error instanceof HttpFailure ||
    isRemoraError(error, "sandbox/limit-exceeded")
  );
}

/** How often it could be done before it was refused. */
async function timesOf(act: (index: number) => unknown, tries = 1_000): Promise<number> {
  for (let index = 0; index < tries; index++) {
    try {
      await act(index);
    } catch (error) {
      assert.ok(isRefusal(error), String(error));
      return index;
    }
  }
  return tries;
}

/** The largest amount, of doubling ones and their neighbours, that was not refused. */
async function largestOf(act: (amount: number) => unknown): Promise<number> {
  let largest = 0;
  for (let amount = 1; amount <= 1 << 20; amount *= 2) {
    for (const near of [amount - 1, amount, amount + 1]) {
      const isTaken = (await timesOf(() => act(near), 1)) === 1;
      if (isTaken) largest = Math.max(largest, near);
    }
  }
  return largest;
}

const follow = { symlinkFollow: true };
const none = { create: false, directory: false, exclusive: false, truncate: false };
const writing = {
  read: true,
  write: true,
  mutateDirectory: false,
  fileIntegritySync: false,
  dataIntegritySync: false,
  requestedWriteSync: false,
};

function rootOf({ instance }: TestSandbox) {
  const name = "wasi:filesystem/preopens@0.2.0";
  const [first] = interfaceOf<ReturnType<typeof preopens>>(instance, name).getDirectories();
  assert.ok(first);
  const [root] = first;
  const create = (path: string) => root.openAt(follow, path, { ...none, create: true }, writing);
  return { root, create };
}

function clockOf({ instance }: TestSandbox) {
  return interfaceOf<ReturnType<typeof monotonicClock>>(instance, "wasi:clocks/monotonic-clock@0.2.0");
}

function pollOf({ instance }: TestSandbox) {
  const name = "wasi:io/poll@0.2.0";
  return interfaceOf<{ poll(pollables: readonly Pollable[]): unknown }>(instance, name).poll;
}

function randomOf({ instance }: TestSandbox) {
  return interfaceOf<ReturnType<typeof random>>(instance, "wasi:random/random@0.2.0").getRandomBytes;
}

function bucketOf({ instance }: TestSandbox) {
  interface Bucket {
    set(key: string, value: Uint8Array): void;
  }
  return interfaceOf<{ open(name: string): Bucket }>(instance, "wasi:keyvalue/store@0.2.0-draft2").open("");
}

function fetched({ sandbox }: TestSandbox, path: string, more: Partial<WholeRequest> = {}) {
  return sandbox.request({ method: "GET", url: `${origin}${path}`, headers: [], ...more });
}

async function failed(request: Promise<unknown>, tag: string): Promise<void> {
  await assert.rejects(request, (error) => error instanceof HttpFailure && error.reason.tag === tag);
}

async function listening(tested: TestSandbox) {
  const listener = tested.sandbox.sockets.listenTcp({ address: "127.0.0.1", port: 0 });
  while (listener.state !== "bound") await listener.change.next();
  return listener;
}

/** Datagrams of a size that are kept, of a hundred that arrive. */
async function keptOf(tested: TestSandbox, bytes: number): Promise<number> {
  const port = tested.sandbox.sockets.openUdp("ipv4");
  port.bind({ address: "127.0.0.1", port: 0 });
  while (port.state !== "bound") await port.change.next();
  const sender = dgram.createSocket("udp4");
  const { local } = port;
  assert.ok(local);
  for (let index = 0; index < 100; index++) {
    await new Promise((resolve) => sender.send(new Uint8Array(bytes), local.port, local.address, resolve));
    while (port.pendingCount + port.lostCount <= index) await turn();
  }
  sender.close();
  return port.pendingCount;
}

const lines = (tested: TestSandbox, write: (stdout: { write(bytes: Uint8Array): void }) => void) => {
  interface Stdout {
    getStdout(): { checkWrite(): bigint; write(bytes: Uint8Array): void };
  }
  const stdout = interfaceOf<Stdout>(tested.instance, "wasi:cli/stdout@0.2.0").getStdout();
  write({
    write: (bytes) => {
      stdout.checkWrite();
      stdout.write(bytes);
    },
  });
  return tested.lines.filter((line) => line.from === "stdout");
};

const bytes = (text: string) => new TextEncoder().encode(text);

const attacks: Readonly<Record<keyof SandboxLimits, Attack>> = {
  handlesMax: { max: 5, take: (tested) => timesOf(() => clockOf(tested).subscribeDuration(1n)) },
  fileBytesMax: {
    max: 1_000,
    take: async (tested) => {
      const { create } = rootOf(tested);
      await timesOf((index) => create(`data/${index % 3}`).write(bytes("x".repeat(70)), BigInt(index * 70)));
      await largestOf((size) => create("data/0").setSize(BigInt(size)));
      await timesOf(() => create("data/1").setSize(2n ** 60n));
      return tested.sandbox.usage()[0]?.bytesUsed ?? 0;
    },
  },
  filesMax: {
    max: 6,
    had: 9, // beside its three folders
    take: async (tested) => {
      const { root, create } = rootOf(tested);
      await timesOf((index) => create(`data/${index}`)[Symbol.dispose](), 4);
      await timesOf((index) => root.createDirectoryAt(`data/f${index}`), 100);
      await timesOf((index) => root.symlinkAt("target", `data/s${index}`), 100);
      await timesOf((index) => root.linkAt({ symlinkFollow: false }, "data/0", root, `data/l${index}`), 100);
      return tested.sandbox.usage()[0]?.namesUsed ?? 0;
    },
  },
  pathBytesMax: {
    max: 32,
    take: async (tested) => {
      const { root } = rootOf(tested);
      const found = (path: string) => {
        try {
          root.statAt(follow, path);
        } catch (error) {
          if (!(error instanceof ComponentError) || error.payload !== "no-entry") throw error;
        }
      };
      await assert.rejects(async () => found("ü".repeat(17))); // bytes, not characters
      return largestOf((length) => found("x".repeat(length)));
    },
  },
  folderEntriesMax: {
    max: 4,
    take: (tested) => {
      const { root } = rootOf(tested);
      return timesOf((index) => {
        root.createDirectoryAt(`data/${index}`);
        const folder = root.openAt(
          follow,
          "data",
          { ...none, directory: true },
          { ...writing, write: false },
        );
        folder.readDirectory();
        folder[Symbol.dispose]();
      });
    },
  },
  randomBytesPerRequestMax: {
    max: 64,
    take: (tested) => largestOf((amount) => randomOf(tested)(BigInt(amount))),
  },
  randomBytesPerCallMax: { max: 1_000, take: (tested) => timesOf(() => randomOf(tested)(1n), 5_000) },
  logLineBytesMax: {
    max: 50,
    had: 53, // and a sign of three bytes that it was cut
    take: (tested) => {
      const [first] = lines(tested, (stdout) => stdout.write(bytes(`${"ü".repeat(5_000)}\n`)));
      return bytes(first?.text ?? "").length;
    },
  },
  logLinesPerSecondMax: {
    max: 7,
    take: (tested) =>
      lines(tested, (stdout) => {
        for (let index = 0; index < 50; index++) stdout.write(bytes("line\n".repeat(100)));
      }).length,
  },
  transferBytesMax: {
    max: 100,
    take: (tested) => {
      const file = rootOf(tested).create("data/f");
      file.setSize(10_000n);
      return file.read(2n ** 40n, 0n)[0].length;
    },
  },
  waitMsMax: {
    max: 10,
    take: async (tested) => {
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
      const before = timers();
      const refused = assert.rejects(async () => clockOf(tested).subscribeDuration(11_000_000n).block());
      assert.equal(timers(), before, "nothing waits for it");
      await refused;
      await clockOf(tested).subscribeDuration(10_000_000n).block();
      return 10;
    },
  },
  pollSubscriptionsMax: {
    max: 8,
    take: (tested) => {
      const pollables = Array.from({ length: 50 }, () => clockOf(tested).subscribeDuration(0n));
      return largestOf((amount) => pollOf(tested)(pollables.slice(0, amount)));
    },
  },
  httpPendingMax: {
    max: 3,
    take: async (tested) => {
      const pending = Array.from({ length: 20 }, () => fetched(tested, "/hang").catch(() => {}));
      await failed(fetched(tested, "/hang"), "connection-limit-reached");
      while (web.connections() < 3) await turn();
      tested.sandbox.close();
      await Promise.all(pending);
      return 3;
    },
  },
  httpPerMinuteMax: { max: 4, take: (tested) => timesOf(() => fetched(tested, "/ok"), 20) },
  httpRequestBytesMax: {
    max: 500,
    take: async (tested) => {
      const post = (size: number) => fetched(tested, "/", { method: "POST", body: new Uint8Array(size) });
      await post(500);
      await failed(post(501), "HTTP-request-body-size");
      return 500;
    },
  },
  httpResponseBytesMax: {
    max: 500,
    take: async (tested) => {
      await failed(fetched(tested, "/body/100000"), "HTTP-response-body-size");
      return (await fetched(tested, "/body/500")).body.length;
    },
  },
  httpTimeMsMax: {
    max: 40,
    take: async (tested) => {
      await failed(fetched(tested, "/hang"), "HTTP-response-timeout");
      return 40;
    },
  },
  httpRedirectsMax: {
    max: 3,
    take: async (tested) => {
      const before = web.seen.length;
      await failed(fetched(tested, "/redirect/0"), "loop-detected");
      return web.seen.length - before - 1; // the first request is no redirect
    },
  },
  httpHeadersMax: {
    max: 10,
    take: async (tested) => {
      const headers = (count: number) =>
        Array.from({ length: count }, (_, index) => [`x-${index}`, bytes("v")] as const);
      await failed(fetched(tested, "/headers"), "HTTP-response-header-section-size");
      await failed(fetched(tested, "/ok", { headers: headers(11) }), "HTTP-request-header-section-size");
      await fetched(tested, "/ok", { headers: headers(10) });
      return 10;
    },
  },
  httpHeaderBytesMax: {
    max: 300,
    take: async (tested) => {
      const wide = (size: number) =>
        fetched(tested, "/ok", { headers: [["x", bytes("v".repeat(size - 1))]] });
      await failed(wide(301), "HTTP-request-header-section-size");
      await wide(300);
      await failed(fetched(tested, "/headers"), "HTTP-response-header-section-size");
      return 300;
    },
  },
  webSocketsMax: {
    max: 2,
    take: ({ sandbox }) => timesOf(() => sandbox.webSockets.open({ url: `ws://127.0.0.1:${portOf(echo)}` })),
  },
  webSocketMessageBytesMax: {
    max: 400,
    take: async ({ sandbox }) => {
      const connection = sandbox.webSockets.open({ url: `ws://127.0.0.1:${portOf(echo)}` });
      while (connection.state !== "open") await connection.change.next();
      assert.throws(() => connection.send("x".repeat(401)), HttpFailure);
      connection.send("x".repeat(400));
      return 400;
    },
  },
  webSocketMessagesMax: {
    max: 3,
    had: 3 + 65_536 / 302, // of one read
    take: async ({ sandbox }) => {
      const connection = sandbox.webSockets.open({ url: `ws://127.0.0.1:${portOf(echo)}` });
      while (connection.pendingCount === 0) await connection.change.next();
      for (let index = 0; index < 20; index++) await turn();
      return connection.pendingCount;
    },
  },
  lookupsPendingMax: {
    max: 3,
    take: async ({ sandbox }) => {
      let started = 0;
      const look = () => {
        const found = sandbox.sockets.lookUp("name.example");
        return Promise.race([found, turn().then(() => started++)]);
      };
      return timesOf(look, 10);
    },
  },
  socketsMax: {
    max: 4,
    take: ({ sandbox }) =>
      timesOf((index) =>
        index % 2 === 0
          ? sandbox.sockets.openUdp("ipv4")
          : sandbox.sockets.connectTcp({ address: "127.0.0.1", port: portOf(flooding) }),
      ),
  },
  connectionsWaitingMax: {
    max: 2,
    take: async (tested) => {
      const listener = await listening(tested);
      const port = listener.local?.port ?? 0;
      const peers = Array.from({ length: 9 }, () => net.connect(port, "127.0.0.1").on("error", () => {}));
      while (listener.waitingCount + listener.turnedAwayCount < 9) await turn();
      for (const peer of peers) peer.destroy();
      return listener.waitingCount;
    },
  },
  connectTimeMsMax: {
    max: 30,
    take: async ({ sandbox }) => {
      // TEST-NET-1: nobody answers there. Where the system knows that at once, it says so instead.
      const connection = sandbox.sockets.connectTcp({ address: "192.0.2.1", port: 9 });
      while (connection.isConnecting) await connection.change.next();
      assert.match(
        connection.problem ?? "",
        /^(timeout|remote-unreachable|connection-refused|access-denied)$/,
      );
      return 30;
    },
  },
  datagramsMax: { max: 5, take: (tested) => keptOf(tested, 10) },
  datagramsBytesMax: { max: 1_000, take: async (tested) => (await keptOf(tested, 300)) * 300, had: 900 },
  execPendingMax: {
    max: 2,
    take: async ({ sandbox }) => {
      const run = () =>
        sandbox.programs.run({ program: node, arguments: ["-e", "setInterval(() => {}, 1000)"] });
      const running = Array.from({ length: 6 }, run);
      assert.deepEqual(await running[5], { kind: "refused", why: "too-many" });
      return sandbox.programs.runningCount;
    },
  },
  execTimeMsMax: {
    max: 50,
    take: async ({ sandbox }) => {
      const run = { program: node, arguments: ["-e", "setInterval(() => {}, 1000)"] };
      assert.deepEqual(await sandbox.programs.run(run), { kind: "stopped", why: "time" });
      return 50;
    },
  },
  execInputBytesMax: {
    max: 10,
    take: async ({ sandbox }) => {
      const run = { program: node, arguments: ["-e", "0"], input: new Uint8Array(11) };
      assert.deepEqual(await sandbox.programs.run(run), { kind: "refused", why: "too-large" });
      return 10;
    },
  },
  execOutputBytesMax: {
    max: 1_000,
    take: async ({ sandbox }) => {
      const script = "for (;;) process.stderr.write('x'.repeat(600)), process.stdout.write('x'.repeat(600))";
      const outcome = await sandbox.programs.run({ program: node, arguments: ["-e", script] });
      assert.deepEqual(outcome, { kind: "stopped", why: "output" });
      return 1_000;
    },
  },
  kvKeysMax: {
    max: 5,
    take: (tested) => {
      const bucket = bucketOf(tested);
      return timesOf((index) => bucket.set(`${index}`, bytes("v")));
    },
  },
  kvValueBytesMax: {
    max: 100,
    take: (tested) => {
      const bucket = bucketOf(tested);
      return largestOf((length) => bucket.set("k", new Uint8Array(length)));
    },
  },
  kvBytesMax: {
    max: 1_000,
    take: async (tested) => {
      const bucket = bucketOf(tested);
      let used = 0;
      await timesOf((index) => {
        bucket.set(`${index}`.padStart(4, "0"), new Uint8Array(96));
        used += 100;
      });
      return used;
    },
  },
};

for (const [name, { max, take, had = max }] of Object.entries(attacks)) {
  test(`${name}: whoever tries to take more than ${max} gets ${had === max ? "that" : "no more"}`, async () => {
    const tested = testSandbox({
      grants: grants(),
      waiting: suspendedWaiting,
      limits: { [name]: max },
      network: { resolve: () => new Promise(() => {}) },
    });
    try {
      const got = await take(tested);
      assert.ok(got > 0 && got <= had, `${got} of ${had}`);
    } finally {
      tested.sandbox.close();
    }
  });
}
