/** Responses whose origin is taken when they are there: nothing of them is told any more. */

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { ComponentError } from "../../component/index.ts";
import type { Grant } from "../../policy/index.ts";
import type { httpTypes, outgoingHandler } from "../preview2/http.ts";
import type { FutureIncomingResponse } from "../preview2/http-incoming.ts";
import { type Answer, testServer } from "../testing/http-servers.ts";
import { interfaceOf, testSandbox } from "../testing/sandboxes.ts";
import { HttpClient } from "./client.ts";
import { HttpFailure } from "./failure.ts";
import { requestWhole } from "./request.ts";

const http = (...origins: string[]): Grant => ({ capability: "net.http", origins });

async function served(t: TestContext, answer: Answer) {
  const server = await testServer(answer);
  const origin = `http://127.0.0.1:${server.port}`;
  const tested = testSandbox({ grants: [http(origin)] });
  t.after(() => {
    tested.sandbox.close();
    return server.close();
  });
  return { ...tested, origin };
}

async function componentOf(t: TestContext, answer: Answer) {
  const { sandbox, instance, origin } = await served(t, answer);
  const types = interfaceOf<ReturnType<typeof httpTypes>>(instance, "wasi:http/types@0.2.0");
  const { handle } = interfaceOf<ReturnType<typeof outgoingHandler>>(
    instance,
    "wasi:http/outgoing-handler@0.2.0",
  );
  const send = async (authority = new URL(origin).host): Promise<FutureIncomingResponse> => {
    const request = new types.OutgoingRequest(new types.Fields());
    request.setScheme({ tag: "HTTP" });
    request.setAuthority(authority);
    const future = handle(request, undefined);
    while (!future.subscribe().ready()) await new Promise((resolve) => setImmediate(resolve));
    return future;
  };
  const respond = async () => {
    const outcome = (await send()).get();
    assert.ok(outcome?.tag === "ok" && outcome.val.tag === "ok");
    return outcome.val.val;
  };
  return { sandbox, origin, types, send, respond };
}

const isRefused = (error: unknown) => error instanceof ComponentError;

for (const [what, finish] of [
  ["that has all come", true],
  ["that is coming", false],
] as const) {
  test(`of a response ${what} a component hears neither status, headers nor body when its origin is taken`, async (t) => {
    const { sandbox, respond } = await componentOf(t, (_request, response) => {
      response.writeHead(201, { "x-secret": "told" }).write("secret");
      if (finish) response.end();
    });
    const [fresh, begun] = [await respond(), await respond()];
    const held = begun.headers();
    const body = begun.consume();
    assert.equal(held.has("x-secret"), true);
    sandbox.narrow([http("http://other.example")]);
    for (const response of [fresh, begun]) {
      assert.equal(response.status(), 0);
      assert.deepEqual(response.headers().entries(), []);
      assert.throws(() => response.consume(), isRefused);
    }
    assert.deepEqual(held.entries(), []);
    assert.deepEqual(held.get("x-secret"), []);
    assert.equal(held.has("x-secret"), false);
    assert.deepEqual(held.clone().entries(), []);
    assert.throws(() => body.stream(), isRefused);
    for (const each of [fresh, begun, held, body]) each[Symbol.dispose]();
  });
}

test("a component that has read a response and let go of its body is still told the status and the headers", async (t) => {
  const { sandbox, origin, types, respond } = await componentOf(t, (_request, response) => {
    response.writeHead(201, { "x-told": "yes" }).end();
  });
  const response = await respond();
  types.IncomingBody.finish(response.consume());
  sandbox.narrow([http(origin, "http://other.example")]);
  assert.equal(response.status(), 201);
  assert.equal(response.headers().has("x-told"), true);
});

test("why a request failed is told no more when its origin is taken", async (t) => {
  const { sandbox, send } = await componentOf(t, (_request, response) => void response.socket?.end("none\n"));
  assert.deepEqual((await send()).get(), {
    tag: "ok",
    val: { tag: "err", val: { tag: "HTTP-protocol-error" } },
  });
  const future = await send();
  sandbox.narrow([]);
  const terminated = { tag: "ok", val: { tag: "err", val: { tag: "connection-terminated" } } };
  assert.deepEqual(future.get(), terminated);
});

test("a response without a body is not given to a host function either when its origin is taken in the last moment", async (t) => {
  const { sandbox, origin } = await served(t, (_request, response) => {
    response.writeHead(204, { "x-secret": "told" }).end();
  });
  const { gate, limits, traffic } = sandbox;
  const client = new HttpClient({ gate, limits, traffic, resolve: async () => [], addresses: [] });
  const open = client.open.bind(client);
  t.mock.method(client, "open", (...args: Parameters<typeof open>) => {
    const opened = open(...args);
    // It is over then, and nobody is left whom a narrowing would close.
    opened.response.then(({ body }) => body.once("close", () => sandbox.narrow([])));
    return opened;
  });
  const request = requestWhole(client, { method: "GET", url: `${origin}/`, headers: [] });
  await assert.rejects(request, HttpFailure);
});

test("which subprotocol a peer chose is told no more when its origin is taken", async (t) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "secret" });
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const origin = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
  const { sandbox } = testSandbox({ grants: [http(origin)] });
  t.after(() => sandbox.close());
  const connection = sandbox.webSockets.open({ url: origin, protocols: ["secret", "other"] });
  while (connection.state !== "open") await connection.change.next();
  assert.equal(connection.protocol, "secret");
  sandbox.narrow([]);
  assert.equal(connection.protocol, "");
});
