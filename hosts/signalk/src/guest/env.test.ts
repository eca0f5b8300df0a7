/** Each import of `env` as a guest sees it: its result is left in the model, or in the answer of an endpoint. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Boat, boatWith, type PluginPackage } from "../testing/boats.ts";
import { answering, call, type GuestText } from "../testing/guest-text.ts";

const two = "(param i32 i32)";
const status = "(param i32 i32) (result i32)";
const four = "(param i32 i32 i32 i32) (result i32)";

/** A plugin whose endpoint `/go` does something and answers with the number that it left. */
function doing(go: string, more: GuestText = {}): GuestText {
  return {
    ...more,
    texts: {
      endpoints: '[{"method":"GET","path":"/go","handler":"go"}]',
      number: '{"statusCode":200,"body":"00000000"}',
      ...more.texts,
    },
    functions: `${answering("http_endpoints", "endpoints", "out")} ${more.functions ?? ""}
      ${answering(
        "go",
        "number",
        "request",
        // Eight digits in hexadecimal, over the zeros.
        `(local $left i32) (local $digit i32) (local $value i32)
         (local.set $value ${go})
         (local.set $left (i32.const 8))
         (loop $more
           (local.set $left (i32.sub (local.get $left) (i32.const 1)))
           (local.set $digit (i32.and (local.get $value) (i32.const 15)))
           (i32.store8 (i32.add (i32.add (global.get $number) (i32.const 26)) (local.get $left))
             (i32.add (local.get $digit) (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
           (local.set $value (i32.shr_u (local.get $value) (i32.const 4)))
           (br_if $more (local.get $left)))`,
      )}`,
  };
}

const go = async (boat: Boat): Promise<number> =>
  Number.parseInt((await boat.fetch("/plugins/p/go")).text, 16) | 0;

async function boat(t: TestContext, guest: GuestText, more: Partial<PluginPackage> = {}, options = {}) {
  const made = await boatWith(t, [{ name: "p", guest, ...more }], options);
  assert.equal(made.plugins.all()[0]?.state, "running", String(made.plugins.all()[0]?.statusMessage));
  return made;
}

test("sk_handle_message takes two arguments and three; version 2 stays out of the model of version 1", async (t) => {
  const delta = (path: string) =>
    `{"updates":[{"$source":"liar","timestamp":"1999-01-01T00:00:00Z","values":[{"path":"${path}","value":1}]}]}`;
  const made = await boatWith(t, [
    {
      name: "two",
      guest: {
        imports: { sk_handle_message: two },
        texts: { a: delta("two") },
        start: `${call("sk_handle_message", "a")} (i32.const 0)`,
      },
    },
    {
      name: "three",
      guest: {
        imports: { sk_handle_message: "(param i32 i32 i32)" },
        texts: { a: delta("three"), b: delta("course") },
        start: `${call("sk_handle_message", "a").slice(0, -1)} (i32.const 1)) ${call("sk_handle_message", "b").slice(0, -1)} (i32.const 2)) (i32.const 0)`,
      },
    },
  ]);
  const found = (await made.fetch("/signalk/v1/api/vessels/self")).json;
  assert.deepEqual(found.two, { value: 1, $source: "two", timestamp: "2026-01-01T00:00:00.000Z" });
  assert.equal(found.three.$source, "three");
  assert.equal(found.course, undefined);
});

test("sk_get_self_path gives a value as JSON, 0 for nothing and for a buffer that is too small", async (t) => {
  const guest = doing(
    `(call $sk_get_self_path (global.get $path) (global.get $path_length) (i32.const 16) (i32.const 8))`,
    {
      imports: { sk_get_self_path: four },
      texts: { path: "environment.depth" },
    },
  );
  const made = await boat(t, guest);
  assert.equal(await go(made), 0);
  const say = (value: unknown) =>
    made.server.input({ updates: [{ values: [{ path: "environment.depth", value }] }] }, "x");
  say(12.5);
  assert.equal(await go(made), 4);
  say("longer than eight");
  assert.equal(await go(made), 0);
});

test("sk_get_path, which the SDK declares, answers too", async (t) => {
  const guest = doing(
    `(call $sk_get_path (global.get $path) (global.get $path_length) (i32.const 16) (i32.const 100))`,
    {
      imports: { sk_get_path: four },
      texts: { path: "vessels.self.environment.depth" },
    },
  );
  const made = await boat(t, guest);
  made.server.input({ updates: [{ values: [{ path: "environment.depth", value: 7 }] }] }, "x");
  assert.equal(await go(made), 1);
});

test("sk_read_config and sk_save_config use the plugin's settings, which its own files do not reach", async (t) => {
  const saving = doing(
    `(i32.add ${call("sk_save_config", "config")} (call $sk_read_config (i32.const 16) (i32.const 100)))`,
    {
      imports: { sk_save_config: status, sk_read_config: status },
      texts: { config: '{"depth":3}' },
    },
  );
  const made = await boat(t, saving, { name: "p" });
  assert.equal(await go(made), 11);
  assert.deepEqual(made.plugins.get("p")?.settings.configuration, { depth: 3 });
  const deep = `{"a":${"[".repeat(100)}${"]".repeat(100)}}`;
  for (const config of ["[]", "1", "no JSON", deep]) {
    const refusing = await boat(
      t,
      doing(call("sk_save_config", "config"), { imports: { sk_save_config: status }, texts: { config } }),
    );
    assert.equal(await go(refusing), -1, config);
  }
});

test("sk_publish_notification takes a state of the specification, and nothing else", async (t) => {
  const notifying = (value: string) =>
    doing(call("sk_publish_notification", "path", "value"), {
      imports: { sk_publish_notification: four },
      texts: { path: "notifications.depth", value },
    });
  const made = await boat(t, notifying('{"state":"alarm","method":["sound"],"message":"shallow"}'));
  assert.equal(await go(made), 0);
  assert.equal(
    (await made.fetch("/signalk/v1/api/vessels/self/notifications/depth/value/state")).json,
    "alarm",
  );
  const put = await made.fetch("/signalk/v1/api/vessels/self/notifications/depth/state", {
    method: "PUT",
    body: { value: "normal" },
  });
  assert.equal(put.status, 200);
  assert.equal(
    (await made.fetch("/signalk/v1/api/vessels/self/notifications/depth/value/state")).json,
    "normal",
  );
  for (const value of ['{"state":"panic"}', "{}", "[]", "x"])
    assert.equal(await go(await boat(t, notifying(value))), -1, value);
});

test("sk_has_capability tells what was given", async (t) => {
  const asking = (word: string) =>
    doing(call("sk_has_capability", "word"), { imports: { sk_has_capability: status }, texts: { word } });
  const capabilities = { rawSockets: true };
  assert.equal(await go(await boat(t, asking("rawSockets"), { capabilities })), 1);
  assert.equal(await go(await boat(t, asking("network"), { capabilities })), 0);
  assert.equal(await go(await boat(t, asking("everything"), { capabilities })), 0);
});

test("a plugin that gives up says why and where", async (t) => {
  const guest = doing("(i32.const 0)", {
    imports: { abort: "(param i32 i32 i32 i32)" },
    start: `(i32.store (i32.const 496) (i32.const 6)) (i32.store (i32.const 500) (i32.const 0x6f006e)) (i32.store16 (i32.const 504) (i32.const 0x21))
      (call $abort (i32.const 500) (i32.const 0) (i32.const 12) (i32.const 5)) (i32.const 0)`,
  });
  const made = await boatWith(t, [{ name: "p", guest }]);
  assert.match(made.plugins.all()[0]?.statusMessage ?? "", /gave up: no!, at an unknown file:12:5/);
});

test("an address outside of the guest's memory ends the guest's call, and reads nothing", async (t) => {
  const wild = [
    "(i32.const -16) (i32.const 8)",
    "(i32.const 16) (i32.const -1)",
    "(i32.const 0x7fffffff) (i32.const 100)",
  ];
  for (const pair of wild) {
    const guest = doing(`(block (result i32) (call $sk_handle_message ${pair}) (i32.const 1))`, {
      imports: { sk_handle_message: two },
    });
    const made = await boat(t, guest);
    assert.equal((await made.fetch("/plugins/p/go")).status, 502, pair);
    assert.equal(made.plugins.all()[0]?.state, "crashed");
  }
});

test("streams of bytes are the plugin's own, those of radars a radar provider's", async (t) => {
  const emitting = (stream: string) =>
    doing(call("sk_emit_binary_stream", "stream", "data"), {
      imports: { sk_emit_binary_stream: four },
      texts: { stream, data: "spokes" },
    });
  const emit = async (stream: string, capabilities = {}) => {
    const made = await boat(t, emitting(stream), { capabilities });
    const heard: string[] = [];
    made.server.binaryStreams.listen(stream, (data) => heard.push(Buffer.from(data).toString()));
    return [await go(made), ...heard];
  };
  assert.deepEqual(await emit("plugins/p/a"), [1, "spokes"]);
  assert.deepEqual(await emit("plugins/other/a"), [0]);
  assert.deepEqual(await emit("radars/r1"), [0]);
  assert.deepEqual(await emit("radars/r1", { radarProvider: true }), [1, "spokes"]);
  assert.deepEqual(await emit("radars/../x", { radarProvider: true }), [0]);
});

const socketImports = {
  sk_udp_create: "(param i32) (result i32)",
  sk_udp_bind: status,
  sk_udp_send: "(param i32 i32 i32 i32 i32 i32) (result i32)",
  sk_udp_recv: "(param i32 i32 i32 i32 i32) (result i32)",
};
const rawSockets = { capabilities: { rawSockets: true } };

test("UDP: a plugin sends, and hears the answer, at an address that the operator named", async (t) => {
  const echo = createSocket("udp4");
  echo.on("message", (data, from) => echo.send(data, from.port, from.address));
  echo.bind(0, "127.0.0.1");
  await once(echo, "listening");
  t.after(() => echo.close());
  const { port } = echo.address();
  const guest = doing(`(call $step)`, {
    imports: socketImports,
    texts: { address: "127.0.0.1", data: "ping" },
    functions: `(global $socket (mut i32) (i32.const 0))
      (func $step (result i32)
        (if (i32.eqz (global.get $socket)) (then
          (global.set $socket (call $sk_udp_create (i32.const 0)))
          (return (call $sk_udp_send (global.get $socket) (global.get $address) (global.get $address_length)
            (i32.const ${port}) (global.get $data) (global.get $data_length)))))
        (call $sk_udp_recv (global.get $socket) (i32.const 16) (i32.const 100) (i32.const 200) (i32.const 300)))`,
  });
  const refused = await boat(t, guest, rawSockets);
  assert.equal(await go(refused), -1, "this machine itself is no part of the boat's network");
  const without = await boat(t, guest);
  assert.equal(await go(without), -1);
  const made = await boat(t, guest, rawSockets, {
    plugins: { moreGrants: () => [{ capability: "net.socket", sockets: [`udp connect 127.0.0.1 ${port}`] }] },
  });
  assert.equal(await go(made), 4);
  let heard = 0;
  for (let tries = 0; tries < 200 && heard === 0; tries++) heard = await go(made);
  assert.equal(heard, 4);
});

test("TCP: lines come whole and without their ends, from an address that the operator named", async (t) => {
  const server = createServer((socket) => socket.end("$GPRMC,1\r\n$GPR"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const guest = doing("(call $step)", {
    imports: {
      sk_tcp_create: "(result i32)",
      sk_tcp_connect: four,
      sk_tcp_recv_line: "(param i32 i32 i32) (result i32)",
    },
    texts: { address: "127.0.0.1" },
    functions: `(global $socket (mut i32) (i32.const 0))
      (func $step (result i32)
        (if (i32.eqz (global.get $socket)) (then
          (global.set $socket (call $sk_tcp_create))
          (return (call $sk_tcp_connect (global.get $socket) (global.get $address) (global.get $address_length) (i32.const ${port})))))
        (call $sk_tcp_recv_line (global.get $socket) (i32.const 16) (i32.const 100)))`,
  });
  const made = await boat(t, guest, rawSockets, {
    plugins: { moreGrants: () => [{ capability: "net.socket", sockets: [`tcp connect 127.0.0.1 ${port}`] }] },
  });
  assert.equal(await go(made), 0);
  let length = 0;
  for (let tries = 0; tries < 200 && length === 0; tries++) length = await go(made);
  assert.equal(length, "$GPRMC,1".length);
  assert.equal(await go(made), 0, "half of a line is none");
});

test("a plugin's files are in its own root, from the first start on", async (t) => {
  const fd = "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)";
  const guest = doing("(i32.const 0)", {
    start: `(call $open (i32.const 3) (i32.const 0) (global.get $file) (global.get $file_length) (i32.const 1) (i64.const 64) (i64.const 64) (i32.const 0) (i32.const 16))`,
    texts: { file: "data/track.log" },
    functions: "",
  });
  const wat = { ...guest, imports: {} };
  const made = await boatWith(t, [{ name: "p", guest: await withWasi(wat, fd) }]);
  assert.equal(made.plugins.all()[0]?.state, "running", String(made.plugins.all()[0]?.statusMessage));
  assert.equal(await readFile(join(made.folder, "plugin-config-data/p/vfs/data/track.log"), "utf8"), "");
});

async function withWasi(guest: GuestText, type: string): Promise<Uint8Array> {
  const { parse } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  const { guestWat } = await import("../testing/guest-text.ts");
  return parse(
    guestWat(guest).replace(
      "(module",
      `(module (import "wasi_snapshot_preview1" "path_open" (func $open ${type}))`,
    ),
  );
}
