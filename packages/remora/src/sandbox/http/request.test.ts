import assert from "node:assert/strict";
import * as net from "node:net";
import { after, before, test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { SandboxOptions } from "../sandbox-imports.ts";
import { type Answer, stubResolver, type TestServer, testServer } from "../testing/http-servers.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { HttpFailure } from "./failure.ts";
import type { WholeRequest } from "./request.ts";

let server: TestServer;
const text = (content: string) => new TextEncoder().encode(content);

const answers: Record<string, Answer> = {
  "/echo": (request, response) => {
    response.setHeader("x-method", request.method ?? "");
    response.setHeader("x-headers", JSON.stringify(request.rawHeaders));
    request.pipe(response);
  },
  "/big": (_request, response) => {
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      response.once("drain", more);
    };
    more();
  },
  "/slow": () => {},
  "/half": (_request, response) => {
    response.writeHead(200, { "Content-Length": "100" });
    response.write("half");
    response.socket?.end();
  },
  "/headers": (_request, response) => {
    for (let i = 0; i < 150; i++) response.setHeader(`x-${i}`, "1");
    response.end();
  },
  "/wide": (_request, response) => response.writeHead(200, { "X-Wide": "w".repeat(40_000) }).end(),
  "/garbage": (_request, response) => {
    response.socket?.end("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello");
  },
};

before(async () => {
  server = await testServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    const to = url.searchParams.get("to");
    if (to !== null) {
      response.writeHead(Number(url.searchParams.get("status") ?? 302), { Location: to }).end();
      return;
    }
    const answer = answers[url.pathname];
    if (answer === undefined) response.end("ok");
    else answer(request, response);
  });
});
after(() => server.close());

const all: Grant = { capability: "net.http", origins: ["*"] };
const local = (): Grant => ({ capability: "net.http", origins: [`http://127.0.0.1:${server.port}`] });

interface Asked extends Partial<WholeRequest> {
  readonly url: string;
}

async function send(request: Asked, options: Partial<SandboxOptions> = {}) {
  const tested = testSandbox({ grants: [local()], ...options });
  const outcome = await tested.sandbox
    .request({ method: "GET", headers: [], ...request })
    .catch((error: unknown) => error);
  tested.sandbox.close();
  return { ...tested, outcome };
}

async function expectFailure(tag: string, request: Asked, options: Partial<SandboxOptions> = {}) {
  const { outcome, audit } = await send(request, options);
  assert.ok(outcome instanceof HttpFailure, `${request.url}: ${String(outcome)}`);
  assert.equal(outcome.reason.tag, tag, request.url);
  return audit;
}

async function expectResponse(request: Asked, options: Partial<SandboxOptions> = {}) {
  const { outcome } = await send(request, options);
  assert.ok(!(outcome instanceof Error), String(outcome));
  const response = outcome as Awaited<ReturnType<ReturnType<typeof testSandbox>["sandbox"]["request"]>>;
  return { ...response, text: new TextDecoder().decode(response.body) };
}

const at = (path: string) => `http://127.0.0.1:${server.port}${path}`;

test("a granted origin answers, with method, headers and body as they were sent", async () => {
  const response = await expectResponse({
    url: at("/echo"),
    method: "POST",
    headers: [["X-Mine", text("1")]],
    body: text("hello"),
  });
  assert.equal(response.status, 200);
  assert.equal(response.text, "hello");
  const headers = Object.fromEntries(
    response.headers.map(([name, value]) => [name, Buffer.from(value).toString()]),
  );
  assert.equal(headers["x-method"], "POST");
  assert.deepEqual(JSON.parse(headers["x-headers"] ?? ""), [
    ...["X-Mine", "1", "Content-Length", "5"],
    ...["Host", `127.0.0.1:${server.port}`, "Connection", "close"],
  ]);
});

test("a request counts with its address, headers and body, and its response with headers and body", async () => {
  const url = at("/echo");
  const { sandbox } = await send({
    url,
    method: "POST",
    headers: [["X-Mine", text("1")]],
    body: text("hello"),
  });
  const { sentBytes, receivedBytes } = sandbox.traffic;
  assert.equal(sentBytes, url.length + "X-Mine1Content-Length5hello".length);
  const { sandbox: idle } = await send({ url, headers: [["X-Mine", text("1")]] });
  assert.ok(receivedBytes > idle.traffic.receivedBytes && idle.traffic.receivedBytes > 0);
  const { sandbox: refused } = await send({ url: "http://127.0.0.1:1/echo" });
  assert.deepEqual(refused.traffic, { sentBytes: 0, receivedBytes: 0 });
});

test("an origin that is not granted is refused before anything is resolved or connected", async () => {
  const connections = server.connections();
  const { asked, resolve } = stubResolver({});
  const grants: Grant[] = [{ capability: "net.http", origins: ["https://api.example.org"] }];
  for (const url of [
    "http://other.example/",
    "http://api.example.org/",
    "https://api.example.org:8443/",
    at("/"),
  ]) {
    const audit = await expectFailure("HTTP-request-denied", { url }, { grants, network: { resolve } });
    assert.equal(audit.entries()[0]?.answer, "denied");
  }
  assert.deepEqual(asked, []);
  assert.equal(server.connections(), connections);
});

/** Spellings of what is not public; %P is the port of a server that would answer. */
const spellings: readonly string[] = [
  "http://127.0.0.1:%P/",
  "http://127.0.0.2:%P/",
  "http://127.255.255.254:%P/",
  "http://127.1:%P/",
  "http://127.0.1:%P/",
  "http://2130706433:%P/",
  "http://0x7f000001:%P/",
  "http://0x7f.0x0.0x0.0x1:%P/",
  "http://0x7f.1:%P/",
  "http://0177.0.0.1:%P/",
  "http://0177.1:%P/",
  "http://017700000001:%P/",
  "http://00000177.0.0.1:%P/",
  "http://127.0.0.1.:%P/",
  "http://0:%P/",
  "http://0.0.0.0:%P/",
  "http://00.0x0.0:%P/",
  "http://[::1]:%P/",
  "http://[::]:%P/",
  "http://[0:0:0:0:0:0:0:1]:%P/",
  "http://[0000::0001]:%P/",
  "http://[::ffff:127.0.0.1]:%P/",
  "http://[::ffff:7f00:1]:%P/",
  "http://[::127.0.0.1]:%P/",
  "http://[::ffff:0:127.0.0.1]:%P/",
  "http://[64:ff9b::127.0.0.1]:%P/",
  "http://[64:ff9b::7f00:1]:%P/",
  "http://[2002:7f00:1::]:%P/",
  "http://①②⑦.⓪.⓪.①:%P/",
  "http://１２７.０.０.１:%P/",
  "http://127。0。0。1:%P/",
  "http://127%2e0%2e0%2e1:%P/",
  "http://%31%32%37.0.0.1:%P/",
  "HTTP://127.0.0.1:%P/",
  "http://127.0.0.1:0%P/",
  "http://localhost:%P/",
  "http://LOCALHOST:%P/",
  "http://localhost.:%P/",
  "http://ｌｏｃａｌｈｏｓｔ:%P/",
  "http://lo\u00adcalhost:%P/",
  "http://sub.localhost:%P/",
  "http://localtest.example:%P/",
  "http://mapped.example:%P/",
  "http://mixed.example:%P/",
  "http://mixed6.example:%P/",
  "http://zone.example:%P/",
  "http://odd.example:%P/",
  "http://10.0.0.1/",
  "http://10.255.255.255/",
  "http://012.0.0.1/",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.168.0.1/",
  "http://0xc0a80001/",
  "http://3232235521/",
  "http://100.64.0.1/",
  "http://100.100.100.200/latest/meta-data/",
  "http://169.254.169.254/latest/meta-data/",
  "http://169.254.170.2/v2/credentials/",
  "http://2852039166/latest/meta-data/",
  "http://0xa9fea9fe/",
  "http://0251.0376.0251.0376/",
  "http://[::ffff:169.254.169.254]/",
  "http://[fd00:ec2::254]/latest/meta-data/",
  "http://[fe80::1]/",
  "http://[fec0::1]/",
  "http://[fc00::1]/",
  "http://168.63.129.16/",
  "http://192.0.0.192/",
  "http://198.18.0.1/",
  "http://203.0.113.1/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://metadata.example/computeMetadata/v1/",
  "https://127.0.0.1:%P/",
  "https://localhost:%P/",
];

const resolver = () =>
  stubResolver({
    localhost: [["127.0.0.1"]],
    "sub.localhost": [["127.0.0.1"]],
    "localtest.example": [["127.0.0.1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "mixed.example": [["8.8.8.8", "127.0.0.1"]],
    "mixed6.example": [["2606:4700::1111", "::1"]],
    "zone.example": [["fe80::1%eth0"]],
    "odd.example": [["0177.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
  });

test("no spelling reaches an address that is not public, though every origin is granted", async () => {
  assert.ok(spellings.length >= 70);
  const connections = server.connections();
  for (const spelling of spellings) {
    const url = spelling.replace("%P", String(server.port));
    const { resolve } = resolver();
    const audit = await expectFailure(
      "destination-IP-prohibited",
      { url },
      { grants: [all], network: { resolve } },
    );
    const refused = audit.entries().filter((entry) => entry.answer === "denied");
    assert.equal(refused.length, 1, spelling);
    assert.match(refused[0]?.rule ?? "", /^the address .* is .* and not named$/);
  }
  assert.equal(server.connections(), connections);
});

test("a redirect to any of them is refused as the first request would be", async () => {
  const front = await testServer((request, response) => {
    const to = new URL(request.url ?? "/", "http://x").searchParams.get("to") ?? "/";
    response.writeHead(302, { Location: to }).end();
  });
  const grants: Grant[] = [all, { capability: "net.http", origins: [`http://127.0.0.1:${front.port}`] }];
  const connections = server.connections();
  let redirects = 0;
  for (const spelling of spellings) {
    const to = spelling.replace("%P", String(server.port));
    // A Location cannot carry more than Latin-1.
    if (Buffer.from(to, "latin1").toString("latin1") !== to) continue;
    const url = `http://127.0.0.1:${front.port}/?to=${encodeURIComponent(to)}`;
    const { resolve } = resolver();
    await expectFailure("destination-IP-prohibited", { url }, { grants, network: { resolve } });
    redirects++;
  }
  assert.ok(redirects >= 65, String(redirects));
  assert.equal(front.seen.length, redirects);
  assert.equal(server.connections(), connections);
  await front.close();
});

test("a denial of an address holds for every form of it and for every name that leads there", async () => {
  const { resolve } = stubResolver({ "six.example": [["2606:4700:0::1111"]], "four.example": [["8.8.8.8"]] });
  const denials: Grant[] = [
    {
      capability: "net.http",
      origins: ["http://8.8.8.8", "http://[2606:4700::1111]", "http://8.8.8.8:8080"],
    },
  ];
  const options = { grants: [all], denials, network: { resolve } };
  for (const url of [
    "http://8.8.8.8/",
    "http://134744072/",
    "http://[::ffff:8.8.8.8]/",
    "http://[2606:4700::0:1111]/",
  ])
    await expectFailure("HTTP-request-denied", { url }, options);
  for (const url of [
    "http://four.example/",
    "http://six.example/",
    "http://four.example:8080/",
    "http://[64:ff9b::808:808]/",
  ]) {
    const audit = await expectFailure("destination-IP-prohibited", { url }, options);
    assert.match(
      audit.entries().findLast(({ answer }) => answer === "denied")?.rule ?? "",
      /of which a denial speaks$/,
    );
  }
});

test("requests that are given up leave no more lookups behind than may be pending", async () => {
  let lookups = 0;
  const resolve = (): Promise<never> => {
    lookups++;
    return new Promise(() => {});
  };
  const tested = testSandbox({
    grants: [all],
    network: { resolve },
    limits: { lookupsPendingMax: 3, httpTimeMsMax: 20 },
  });
  const tags = new Set<string>();
  const failed = (error: unknown) => error instanceof HttpFailure && tags.add(error.reason.tag);
  for (let round = 0; round < 10; round++) {
    await tested.sandbox.request({ method: "GET", url: "http://slow.example/", headers: [] }).catch(failed);
    tested.sandbox.webSockets.open({ url: "ws://slow.example/" }).cut();
  }
  assert.equal(lookups, 3);
  assert.deepEqual([...tags], ["HTTP-response-timeout", "connection-limit-reached"]);
  tested.sandbox.close();
});

test("a server that says over and over that it will answer is left", async (t) => {
  const endless = net.createServer((socket) => {
    socket.on("error", () => {});
    const more = (): void => {
      while (!socket.destroyed && socket.write("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n".repeat(100)));
      socket.once("drain", more);
    };
    socket.once("data", more);
  });
  t.after(() => endless.close());
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(endless.address() as net.AddressInfo).port}`; // it listens on TCP
  const grants: Grant[] = [{ capability: "net.http", origins: [origin] }];
  await expectFailure("HTTP-protocol-error", { url: `${origin}/` }, { grants });
});

test("what is no plain http URL is refused, whatever it hides", async () => {
  const port = server.port;
  const connections = server.connections();
  for (const url of [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:25/_x",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:/var/run/docker.sock",
    `http:127.0.0.1:${port}/`,
    `http:/127.0.0.1:${port}/`,
    `http:\\\\127.0.0.1:${port}/`,
    `http://api.example.org@127.0.0.1:${port}/`,
    `http://user:secret@127.0.0.1:${port}/`,
    `http://@127.0.0.1:${port}/`,
    `http://api.example.org\\@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}\\@api.example.org/`,
    `http://127.0.0.1:${port}/\r\nHost: evil`,
    `http://127.0.0.1:${port}/ HTTP/1.1`,
    `http://127.0.0\t.1:${port}/`,
    ` http://127.0.0.1:${port}/`,
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://[::1%25eth0]/",
    "http://[::1/",
    "http://",
    "http:///etc/passwd",
    "http://./",
    "http://../",
    "",
    "//127.0.0.1/",
    "127.0.0.1",
  ]) {
    const audit = await expectFailure("HTTP-request-URI-invalid", { url });
    assert.deepEqual(audit.entries(), [], url);
  }
  await expectFailure("HTTP-request-URI-too-long", { url: at(`/${"x".repeat(9_000)}`) });
  assert.equal(server.connections(), connections);
});

test("a name is resolved once for each connection, and that address is used", async () => {
  const { asked, resolve } = stubResolver({ "rebind.example": [["127.0.0.1"], ["127.0.0.2"]] });
  const grants: Grant[] = [{ capability: "net.http", origins: [`http://rebind.example:${server.port}`] }];
  const options = { grants, network: { resolve, addresses: ["127.0.0.1"] } };
  const url = `http://rebind.example:${server.port}`;
  assert.equal((await expectResponse({ url: `${url}/x` }, options)).text, "ok");
  assert.deepEqual(asked, ["rebind.example"]);
  // Asked again, it has turned; so a redirect to the same name is refused.
  await expectFailure("destination-IP-prohibited", { url }, options);
  const turning = stubResolver({ "rebind.example": [["127.0.0.1"], ["169.254.169.254"]] });
  const again = { grants, network: { resolve: turning.resolve, addresses: ["127.0.0.1"] } };
  await expectFailure("destination-IP-prohibited", { url: `${url}/r?to=/secret` }, again);
  assert.deepEqual(turning.asked, ["rebind.example", "rebind.example"]);
  assert.ok(!server.seen.includes("GET /secret"));
});

test("a private address is reached when it is named, as an origin or as a network", async () => {
  assert.equal((await expectResponse({ url: at("/") })).text, "ok");
  const grants: Grant[] = [
    { capability: "net.http", origins: ["http://*.lan.example:*".replace(":*", `:${server.port}`)] },
  ];
  const { resolve } = stubResolver({ "nas.lan.example": [["127.0.0.1"]] });
  const url = `http://nas.lan.example:${server.port}/`;
  await expectFailure("destination-IP-prohibited", { url }, { grants, network: { resolve } });
  assert.equal(
    (await expectResponse({ url }, { grants, network: { resolve, addresses: ["127.0.0.0/8"] } })).text,
    "ok",
  );
  assert.throws(() => testSandbox({ network: { addresses: ["localhost"] } }), TypeError);
});

test("a name that leads nowhere is a DNS error without details of the host's network", async () => {
  const { resolve } = stubResolver({ "empty.example": [[]] });
  for (const url of ["http://none.example/", "http://empty.example/"]) {
    await expectFailure("DNS-error", { url }, { grants: [all], network: { resolve } });
  }
});

test("redirects are followed within their number, and the gate decides on each", async () => {
  const to = (target: string, status = 302) => at(`/r?status=${status}&to=${encodeURIComponent(target)}`);
  const response = await expectResponse({ url: to("/echo"), method: "POST", body: text("x"), headers: [] });
  assert.equal(response.url, at("/echo"));
  assert.equal(response.text, "", "303, and 302 after POST, become GET");
  const kept = await expectResponse({ url: to("/echo", 307), method: "POST", body: text("x") });
  assert.equal(kept.text, "x");
  await expectFailure("HTTP-request-denied", { url: to("http://other.example/") });
  await expectFailure("HTTP-request-denied", { url: to("//other.example/") });
  await expectFailure("HTTP-request-URI-invalid", { url: to("file:///etc/passwd") });
  await expectFailure("HTTP-request-URI-invalid", { url: to(`http://user@127.0.0.1:${server.port}/`) });
  let chain = "/end";
  for (let i = 0; i < 6; i++) chain = `/r?to=${encodeURIComponent(chain)}`;
  await expectFailure("loop-detected", { url: at(chain) });
});

test("credentials do not follow a redirect to another origin", async () => {
  const { resolve } = stubResolver({ "other.example": [["127.0.0.1"]] });
  const other = `http://other.example:${server.port}`;
  const grants: Grant[] = [local(), { capability: "net.http", origins: [other] }];
  const headers = ["Authorization", "Cookie", "X-Other"].map((name) => [name, text("1")] as const);
  const url = at(`/r?to=${encodeURIComponent(`${other}/echo`)}`);
  const response = await expectResponse(
    { url, headers },
    { grants, network: { resolve, addresses: ["127.0.0.1"] } },
  );
  const sent = Buffer.from(response.headers.find(([name]) => name === "x-headers")?.[1] ?? []).toString();
  assert.ok(sent.includes("X-Other") && !/authorization|cookie/i.test(sent), sent);
});

test("headers and methods that smuggle are refused", async () => {
  const connections = server.connections();
  const names = [
    "Host",
    "Transfer-Encoding",
    "Content_Length",
    "transfer_encoding",
    "Connection",
    "Upgrade",
    "TE",
    "Trailer",
    "Expect",
  ];
  names.push(
    "Proxy-Authorization",
    "X-Forwarded-For",
    "Keep-Alive",
    "",
    "A B",
    "A:B",
    "A\r\nB",
    "A\0",
    "é",
    "A".repeat(300),
  );
  for (const name of names) {
    await expectFailure("HTTP-protocol-error", { url: at("/"), headers: [[name, text("x")]] });
  }
  for (const value of ["x\r\nHost: evil", "x\ny", "x\ry", "x\0y", "\u007f", "\u001b[2J"]) {
    await expectFailure("HTTP-protocol-error", { url: at("/"), headers: [["X", text(value)]] });
  }
  for (const method of ["CONNECT", "trace", "GET / HTTP/1.1\r\nX:", "", "G T", "x".repeat(40)]) {
    await expectFailure("HTTP-request-method-invalid", { url: at("/"), method });
  }
  assert.equal(server.connections(), connections);
});

test("size, number and time are bounded, each with its own reason", async () => {
  const many = Array.from({ length: 101 }, (_, index) => [`x-${index}`, text("1")] as const);
  await expectFailure("HTTP-request-header-section-size", { url: at("/"), headers: many });
  await expectFailure("HTTP-request-header-section-size", {
    url: at("/"),
    headers: [["x", text("w".repeat(40_000))]],
  });
  await expectFailure("HTTP-response-header-section-size", { url: at("/headers") });
  await expectFailure("HTTP-response-header-section-size", { url: at("/wide") });
  await expectFailure(
    "HTTP-response-body-size",
    { url: at("/big") },
    { limits: { httpResponseBytesMax: 1_000_000 } },
  );
  const body = new Uint8Array(1_001);
  const small = { limits: { httpRequestBytesMax: 1_000 } };
  await expectFailure("HTTP-request-body-size", { url: at("/echo"), method: "POST", body }, small);
  await expectFailure("HTTP-response-timeout", { url: at("/slow") }, { limits: { httpTimeMsMax: 30 } });
  await expectFailure("HTTP-response-incomplete", { url: at("/half") });
  await expectFailure("HTTP-protocol-error", { url: at("/garbage") });
});

test("requests at a time and in a minute are bounded, and a place is free again when one is over", async () => {
  const { sandbox } = testSandbox({ grants: [local()], limits: { httpPendingMax: 2, httpPerMinuteMax: 5 } });
  const get = () => sandbox.request({ method: "GET", url: at("/"), headers: [] });
  const outcomes = await Promise.allSettled([get(), get(), get()]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  for (let i = 0; i < 3; i++) assert.equal((await get()).status, 200);
  await assert.rejects(
    get(),
    (error) => error instanceof HttpFailure && error.reason.tag === "connection-limit-reached",
  );
  sandbox.close();
});

test("closing the sandbox ends what is under way", async () => {
  const { sandbox } = testSandbox({ grants: [local()] });
  const pending = sandbox.request({ method: "GET", url: at("/slow"), headers: [] });
  sandbox.close();
  await assert.rejects(
    pending,
    (error) => error instanceof HttpFailure && error.reason.tag === "connection-terminated",
  );
});

test("a server that is not there is refused without telling more", async () => {
  const gone = await testServer();
  await gone.close();
  const url = `http://127.0.0.1:${gone.port}/`;
  const grants: Grant[] = [{ capability: "net.http", origins: [url] }];
  await expectFailure("connection-refused", { url }, { grants });
});

test("a certificate that the host does not trust is refused", async () => {
  // A plain server answers TLS with something that is no TLS: the handshake fails, and no request is sent.
  const grants: Grant[] = [{ capability: "net.http", origins: [`https://127.0.0.1:${server.port}`] }];
  const seen = server.seen.length;
  const { outcome } = await send({ url: `https://127.0.0.1:${server.port}/` }, { grants });
  assert.ok(outcome instanceof HttpFailure);
  assert.match(outcome.reason.tag, /^(TLS-|connection-terminated)/);
  assert.equal(server.seen.length, seen);
});
