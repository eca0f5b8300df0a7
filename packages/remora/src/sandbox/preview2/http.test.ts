import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import { noWaiting, suspendedWaiting } from "../machine/waiting.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { type TestServer, testServer } from "../testing/http-servers.ts";
import { expectEnded, interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import type { httpTypes, outgoingHandler } from "./http.ts";
import type { FutureIncomingResponse, IncomingResponse } from "./http-incoming.ts";
import type { InputStream } from "./streams.ts";

let server: TestServer;
before(async () => {
  server = await testServer((request, response) => {
    response.setHeader("x-headers", JSON.stringify(request.rawHeaders));
    if (request.url === "/big") response.end(Buffer.alloc(300_000, "b"));
    else if (request.url === "/slow") response.socket?.on("close", () => {});
    else request.pipe(response);
  });
});
after(() => server.close());

const bytes = (content: string) => new TextEncoder().encode(content);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

function guestOf(options: Partial<SandboxOptions> = {}) {
  const grants: Grant[] = [
    { capability: "wasi.base" },
    { capability: "net.http", origins: [`http://127.0.0.1:${server.port}`] },
  ];
  const tested = testSandbox({ grants, waiting: suspendedWaiting, ...options });
  const types = interfaceOf<ReturnType<typeof httpTypes>>(tested.instance, "wasi:http/types@0.2.3");
  const { handle } = interfaceOf<ReturnType<typeof outgoingHandler>>(
    tested.instance,
    "wasi:http/outgoing-handler@0.2.3",
  );
  const requestTo = (path: string, method: { tag: string; val?: string } = { tag: "get" }) => {
    const request = new types.OutgoingRequest(new types.Fields());
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(`127.0.0.1:${server.port}`);
    request.setPathWithQuery(path);
    request.setMethod(method);
    return request;
  };
  return { ...tested, types, handle, requestTo };
}

async function responseOf(future: FutureIncomingResponse): Promise<IncomingResponse> {
  await future.subscribe().block();
  const outcome = future.get();
  assert.ok(outcome?.tag === "ok");
  assert.ok(outcome.val.tag === "ok");
  return outcome.val.val;
}

async function failureOf(future: FutureIncomingResponse): Promise<string> {
  await future.subscribe().block();
  const outcome = future.get();
  assert.ok(outcome?.tag === "ok" && outcome.val.tag === "err");
  return (outcome.val.val as { tag: string }).tag;
}

async function readAll(stream: InputStream): Promise<string> {
  let all = "";
  try {
    for (;;) all += text(await stream.blockingRead(10_000n));
  } catch (error) {
    assert.ok(error instanceof ComponentError);
    assert.deepEqual(error.payload, { tag: "closed" });
    return all;
  }
}

function payloadOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof ComponentError, String(error));
    return error.payload;
  }
  return assert.fail("expected an error result");
}

test("a guest sends a request with a body and reads the response as it comes", async () => {
  const { types, handle, requestTo, audit } = guestOf();
  const request = requestTo("/echo", { tag: "post" });
  const body = request.body();
  const output = body.write();
  const future = handle(request, undefined);
  assert.equal(future.get(), undefined);
  await output.blockingWriteAndFlush(bytes("hello "));
  await output.blockingWriteAndFlush(bytes("world"));
  output[Symbol.dispose]();
  types.OutgoingBody.finish(body, undefined);
  const response = await responseOf(future);
  assert.equal(response.status(), 200);
  assert.deepEqual(future.get(), { tag: "err" }, "a response is given once");
  const incoming = response.consume();
  const stream = incoming.stream();
  assert.equal(await readAll(stream), "hello world");
  assert.deepEqual(
    audit.entries().map((entry) => [entry.capability, entry.answer]),
    [["net.http", "allowed"]],
  );
});

test("a body is no second request, whatever the method and however early it is written", async () => {
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: other.example\r\nTransfer-Encoding: chunked\r\n\r\n";
  server.seen.length = 0;
  for (const tag of ["get", "head", "delete", "options", "patch", "other"]) {
    for (const isEarly of [true, false]) {
      const { types, handle, requestTo, sandbox } = guestOf();
      const request = requestTo("/echo", tag === "other" ? { tag, val: "SEARCH" } : { tag });
      const body = request.body();
      const output = body.write();
      if (isEarly) await output.blockingWriteAndFlush(bytes(smuggled));
      const future = handle(request, undefined);
      if (!isEarly) await output.blockingWriteAndFlush(bytes(smuggled));
      output[Symbol.dispose]();
      types.OutgoingBody.finish(body, undefined);
      const response = await responseOf(future);
      assert.equal(response.status(), 200, tag);
      const found = await readAll(response.consume().stream());
      assert.equal(found, tag === "head" ? "" : smuggled, tag);
      sandbox.close();
    }
  }
  assert.deepEqual(
    server.seen.filter((line) => !line.endsWith(" /echo")),
    [],
  );
});

test("what is written before the request begins is held against its length, too", () => {
  const { types, handle, requestTo, sandbox } = guestOf();
  const headers = types.Fields.fromList([["Content-Length", bytes("5")]]);
  const request = new types.OutgoingRequest(headers);
  const plain = requestTo("/echo");
  request.setScheme(plain.scheme());
  request.setAuthority(plain.authority());
  request.setMethod({ tag: "post" });
  const output = request.body().write();
  output.blockingWriteAndFlush(bytes("12345GET /smuggled HTTP/1.1\r\n\r\n"));
  const failure = payloadOf(() => handle(request, undefined));
  assert.equal((failure as { tag: string }).tag, "HTTP-request-body-size");
  assert.deepEqual(sandbox.traffic, { sentBytes: 0, receivedBytes: 0 });
  sandbox.close();
});

test("a large response stays with its sender until the guest reads it", async () => {
  const { handle, requestTo, sandbox } = guestOf();
  const response = await responseOf(handle(requestTo("/big"), undefined));
  const stream = response.consume().stream();
  const first = await stream.blockingRead(100n);
  assert.equal(first.length, 100);
  assert.equal((await readAll(stream)).length, 299_900);
  sandbox.close();
});

test("a body that is larger than the host allows fails with its reason", async () => {
  const { handle, requestTo, types, sandbox } = guestOf({ limits: { httpResponseBytesMax: 100_000 } });
  const response = await responseOf(handle(requestTo("/big"), undefined));
  const stream = response.consume().stream();
  try {
    for (;;) await stream.blockingRead(10_000n);
  } catch (error) {
    assert.ok(error instanceof ComponentError);
    const payload = error.payload as { tag: string; val: Parameters<typeof types.httpErrorCode>[0] };
    assert.equal(payload.tag, "last-operation-failed");
    assert.deepEqual(types.httpErrorCode(payload.val), { tag: "HTTP-response-body-size", val: 100_000n });
  }
  sandbox.close();
});

test("what is not granted is refused at once; what is not public is refused after resolution", async () => {
  const { handle, requestTo } = guestOf();
  const request = requestTo("/");
  request.setAuthority("other.example");
  assert.deepEqual(
    payloadOf(() => handle(request, undefined)),
    { tag: "HTTP-request-denied" },
  );
  const open = guestOf({ grants: [{ capability: "net.http", origins: ["*"] }] });
  assert.equal(await failureOf(open.handle(open.requestTo("/"), undefined)), "destination-IP-prohibited");
});

test("headers are checked when they are set, and bounded", () => {
  const { types } = guestOf({ limits: { httpHeadersMax: 3, httpHeaderBytesMax: 100 } });
  const fields = new types.Fields();
  assert.ok(fields instanceof types.Fields);
  for (const name of [
    "host",
    "Transfer-Encoding",
    "transfer_encoding",
    "CONNECTION",
    "Proxy-Authorization",
  ]) {
    assert.deepEqual(
      payloadOf(() => fields.append(name, bytes("x"))),
      { tag: "forbidden" },
      name,
    );
    assert.deepEqual(
      payloadOf(() => fields.set(name, [])),
      { tag: "forbidden" },
      name,
    );
  }
  for (const [name, value] of [
    ["", "x"],
    ["a b", "x"],
    ["a", "x\r\ny"],
    ["a\n", "x"],
    ["a", "\0"],
  ] as const) {
    assert.deepEqual(
      payloadOf(() => fields.append(name, bytes(value))),
      { tag: "invalid-syntax" },
    );
    assert.deepEqual(
      payloadOf(() => fields.set(name, [bytes(value)])),
      { tag: "invalid-syntax" },
    );
    assert.deepEqual(
      payloadOf(() => types.Fields.fromList([[name, bytes(value)]])),
      { tag: "invalid-syntax" },
    );
  }
  fields.set("A", [bytes("1"), bytes("2")]);
  fields.append("b", bytes("3"));
  assert.deepEqual(
    payloadOf(() => fields.append("c", bytes("4"))),
    { tag: "forbidden" },
  );
  assert.deepEqual(fields.get("a").map(text), ["1", "2"]);
  assert.ok(fields.has("B") && !fields.has("c"));
  fields.delete("a");
  assert.deepEqual(
    payloadOf(() => fields.append("c", new Uint8Array(100).fill(65))),
    { tag: "forbidden" },
  );
  const copy = fields.clone();
  copy.append("d", bytes("4"));
  assert.deepEqual([fields.entries().length, copy.entries().length], [1, 2]);
  const request = new types.OutgoingRequest(copy);
  assert.deepEqual(
    payloadOf(() => request.headers().append("e", bytes("5"))),
    { tag: "immutable" },
  );
});

test("a request line cannot be broken out of", () => {
  const { requestTo } = guestOf();
  const request = requestTo("/");
  for (const path of ["/ HTTP/1.1\r\nHost: evil", "/a b", "/#x", "/\0", "/é", `/${"x".repeat(9_000)}`]) {
    assert.equal(
      payloadOf(() => request.setPathWithQuery(path)),
      undefined,
    );
  }
  for (const authority of ["a@b", "a/b", "a b", "a\r\nb", "a?b", "a#b", "a\\b", "x".repeat(400)]) {
    assert.equal(
      payloadOf(() => request.setAuthority(authority)),
      undefined,
    );
  }
  assert.equal(
    payloadOf(() => request.setMethod({ tag: "other", val: "A B" })),
    undefined,
  );
  assert.equal(
    payloadOf(() => request.setScheme({ tag: "other", val: "a b" })),
    undefined,
  );
});

test("a body must be as long as its content-length says", async () => {
  const { sandbox, types, handle } = guestOf();
  const send = (length: string, ...parts: string[]) => {
    const request = new types.OutgoingRequest(types.Fields.fromList([["Content-Length", bytes(length)]]));
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(`127.0.0.1:${server.port}`);
    request.setMethod({ tag: "post" });
    const body = request.body();
    const output = body.write();
    const future = handle(request, undefined);
    for (const part of parts) {
      output.checkWrite();
      output.write(bytes(part));
    }
    types.OutgoingBody.finish(body, undefined);
    return future;
  };
  assert.equal((await responseOf(send("5", "hel", "lo"))).status(), 200);
  assert.deepEqual(
    payloadOf(() => send("5", "hel")),
    { tag: "HTTP-request-body-size", val: 3n },
  );
  const tooLong = payloadOf(() => send("5", "hello", "!")) as { tag: string };
  assert.equal(tooLong.tag, "last-operation-failed");
  for (const length of ["5, 6", "+5", "0x5", "-1", "5 ", "", "05"]) {
    assert.deepEqual(
      payloadOf(() => send(length, "hello")),
      { tag: "HTTP-protocol-error" },
      length,
    );
  }
  sandbox.close();
});

test("a length without a body, or two lengths, never reach the server", () => {
  const { types, handle } = guestOf();
  const seen = server.seen.length;
  for (const [length, tag] of [
    ["5", "HTTP-request-body-size"],
    ["5, 6", "HTTP-protocol-error"],
  ] as const) {
    const request = new types.OutgoingRequest(types.Fields.fromList([["content-length", bytes(length)]]));
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(`127.0.0.1:${server.port}`);
    assert.equal((payloadOf(() => handle(request, undefined)) as { tag: string }).tag, tag);
  }
  assert.equal(server.seen.length, seen);
});

test("a body that is dropped before it is finished is no whole request", async () => {
  const { handle, requestTo } = guestOf();
  const request = requestTo("/echo", { tag: "post" });
  const body = request.body();
  const future = handle(request, undefined);
  body[Symbol.dispose]();
  assert.equal(await failureOf(future), "connection-terminated");
});

test("time limits of the guest's own are kept, within the host's", async () => {
  const { types, handle, requestTo } = guestOf();
  const options = new types.RequestOptions();
  options.setFirstByteTimeout(20_000_000n);
  assert.equal(options.firstByteTimeout(), 20_000_000n);
  assert.equal(await failureOf(handle(requestTo("/slow"), options)), "connection-read-timeout");
});

test("where a guest cannot wait, waiting for a response ends the call with a coded error", () => {
  const { handle, requestTo, sandbox } = guestOf({ waiting: noWaiting });
  const pollable = handle(requestTo("/"), undefined).subscribe();
  expectEnded("sandbox/cannot-wait", () => pollable.block());
  sandbox.close();
});

test("requests, headers and bodies count as handles, and closing the instance ends them", async () => {
  const { types, handle, requestTo, instance, sandbox } = guestOf({ limits: { handlesMax: 10 } });
  const future = handle(requestTo("/slow"), undefined);
  expectEnded("sandbox/limit-exceeded", () => {
    for (let i = 0; i < 20; i++) new types.Fields();
  });
  instance.close();
  assert.equal(future.get(), undefined);
  sandbox.close();
});
