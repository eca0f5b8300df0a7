import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { defaultLimits, openArtifact } from "../../engine/index.ts";
import { checkImports, type Grant } from "../../policy/index.ts";
import { auditLog } from "../audit.ts";
import { noWaiting, suspendedWaiting } from "../machine/waiting.ts";
import { type SandboxOptions, sandboxImports } from "../sandbox-imports.ts";
import { type TestServer, testServer } from "../testing/http-servers.ts";
import { httpAnswers } from "./core-module.ts";

let server: TestServer;
let origin = "";
before(async () => {
  server = await testServer((request, response) => {
    response.setHeader("x-method", request.method ?? "");
    if (request.url === "/big") response.end(Buffer.alloc(100_000, "b"));
    else if (request.url !== "/hang") request.pipe(response.writeHead(201));
  });
  origin = `http://127.0.0.1:${server.port}`;
});
after(() => server.close());

/** Exports what it imports, and its memory for the host to write requests to. */
const proxy = await parse(`(module
  (import "remora_http" "send" (func $send (param i32 i32 i32 i32) (result i32)))
  (import "remora_http" "size" (func $size (param i32) (result i32)))
  (import "remora_http" "read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "send") (param i32 i32 i32 i32) (result i32)
    (call $send (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "size") (param i32) (result i32) (call $size (local.get 0)))
  (func (export "read") (param i32 i32 i32 i32) (result i32)
    (call $read (local.get 0) (local.get 1) (local.get 2) (local.get 3))))`);

function guestOf(options: Partial<SandboxOptions> = {}) {
  const grants: Grant[] = [{ capability: "net.http", origins: [origin] }];
  const log = { write: () => {} };
  const audit = auditLog();
  const sandbox = sandboxImports({
    ...{ plugin: "core", grants, audit, log, nowMs: Date.now, waiting: suspendedWaiting },
    ...options,
  });
  const artifact = openArtifact(proxy, { plugin: "core" });
  const instance = artifact.instantiate({
    limits: defaultLimits,
    imports: (guest) => sandbox.forInstance(guest).hostImports(artifact.imports),
  });
  assert.ok(instance.kind === "module");
  const memory = () => new Uint8Array(instance.memory?.buffer ?? new ArrayBuffer(0));
  const call = async (name: string, ...params: number[]) => Number(await instance.exports[name]?.(...params));
  const send = (head: string, body = "") => {
    const [headBytes, bodyBytes] = [new TextEncoder().encode(head), new TextEncoder().encode(body)];
    memory().set(headBytes, 1_024);
    memory().set(bodyBytes, 131_072);
    return call("send", 1_024, headBytes.length, 131_072, bodyBytes.length);
  };
  const received = async (part: number) => {
    const length = await call("size", part);
    assert.equal(await call("read", part, 0, 65_536, length), length);
    return new TextDecoder().decode(memory().slice(65_536, 65_536 + length));
  };
  return { sandbox, audit, artifact, call, send, received };
}

test("a core module sends a request with headers and a body, and reads what came back", async () => {
  const { send, received, call } = guestOf();
  assert.equal(await send(`POST ${origin}/echo\nX-Note: kept\n`, "hello"), 201);
  assert.match(await received(0), /^x-method: POST\n/m);
  assert.equal(await received(1), "hello");
  assert.equal(await call("read", 1, 3, 65_536, 100), 2);
  assert.equal(await call("read", 1, 100, 65_536, 100), 0);
  assert.equal(await send(`GET ${origin}/`), 201);
  assert.equal(await received(1), "", "only the last response is kept");
});

test("every refusal has its answer, and keeps nothing", async () => {
  const limits = { httpResponseBytesMax: 1_000, httpTimeMsMax: 60 };
  const { send, call, sandbox, audit } = guestOf({ limits });
  const { denied, malformed, tooMuch, timeout } = httpAnswers;
  for (const [answer, head] of [
    [denied, "GET http://other.example/"],
    [malformed, "GET"],
    [malformed, "GET file:///etc/passwd"],
    [malformed, `CONNECT ${origin}/`],
    [malformed, `GET ${origin}/\nno header`],
    [malformed, `GET ${origin}/\nHost: other.example`],
    [malformed, `GET ${origin}/\nX: a\rb`],
    [tooMuch, `GET ${origin}/big`],
    [timeout, `GET ${origin}/hang`],
  ] as const) {
    assert.equal(await send(head), answer, head);
    assert.equal((await call("size", 0)) + (await call("size", 1)), 0, head);
  }
  assert.ok(audit.entries().some((entry) => entry.target === "http://other.example:80"));
  sandbox.close();
});

test("every pointer that the guest makes up is malformed, and does nothing", async () => {
  const { send, call } = guestOf();
  const seen = server.seen.length;
  for (const params of [
    [-1, 1, 0, 0],
    [1_024, 2 ** 31 - 1, 0, 0],
    [1_024, 20, -1, 5],
    [1_024, 20, 131_072, 2 ** 31 - 1],
    [1_024, 70_000, 0, 0],
  ]) {
    assert.equal(await call("send", ...params), httpAnswers.malformed, String(params));
  }
  assert.equal(server.seen.length, seen);
  await send(`POST ${origin}/`, "body");
  assert.equal(await call("read", 1, 0, 262_143, 4), httpAnswers.malformed);
  assert.equal(await call("read", 7, 0, 0, 4), 0);
  assert.equal(await call("read", -1, -1, 0, -1), 0);
});

test("without the grant it does not load, and without a way to wait it is told so", async () => {
  const { artifact, sandbox } = guestOf();
  assert.equal(
    checkImports(artifact.imports, { hostFunctions: [], offers: sandbox.offers, grants: [] }).kind,
    "refused",
  );
  const { send } = guestOf({ waiting: noWaiting });
  await assert.rejects(async () => send(`GET ${origin}/`), { code: "sandbox/cannot-wait" });
});
