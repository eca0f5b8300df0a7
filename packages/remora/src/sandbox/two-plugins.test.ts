/** Capability confusion: what one plugin was given is nothing to another, in the same process, host and moment. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Grant, vocabularyWith } from "../policy/index.ts";
import { type AuditLog, auditLog } from "./audit.ts";
import { errno } from "./fs/errno.ts";
import { HttpFailure } from "./http/failure.ts";
import { SocketError } from "./net/sockets.ts";
import type { environment } from "./preview2/cli.ts";
import type { SandboxOptions } from "./sandbox-imports.ts";
import { stubResolver, testServer } from "./testing/http-servers.ts";
import { interfaceOf, type TestSandbox, testSandbox } from "./testing/sandboxes.ts";

const base: Grant = { capability: "wasi.base" };

function pluginOf(
  plugin: string,
  grants: readonly Grant[],
  options: Partial<SandboxOptions> & { audit: AuditLog },
) {
  return testSandbox({ plugin, grants: [base, ...grants], ...options });
}

function open({ instance, bytes }: TestSandbox, fd: number, path: string): number {
  const encoded = new TextEncoder().encode(path);
  bytes.set(encoded, 1_000);
  return Number(
    instance.core("wasi_snapshot_preview1")?.path_open?.(fd, 0, 1_000, encoded.length, 0, 2n, 0n, 0, 0),
  );
}

test("files, folders, variables and descriptors of one plugin are not there for another", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "remora-two-"));
  try {
    for (const name of ["one", "two", "maps"]) fs.mkdirSync(join(folder, name));
    fs.writeFileSync(join(folder, "maps/secret"), "map");
    const audit = auditLog();
    const maps: Grant = { capability: "fs.read", paths: ["/maps"] };
    const shared = { audit, folders: { "/maps": join(folder, "maps") }, environment: { TOKEN: "t" } };
    const own: Grant = { capability: "fs.private" };
    const one = pluginOf("one", [own, maps, { capability: "env.read", names: ["TOKEN"] }], {
      ...shared,
      privateFolder: join(folder, "one"),
    });
    const two = pluginOf("two", [own], { ...shared, privateFolder: join(folder, "two") });
    fs.writeFileSync(join(folder, "one/data/secret"), "one");
    assert.equal(open(one, 3, "data/secret"), errno.success);
    assert.equal(open(one, 4, "secret"), errno.success);
    for (const path of ["data/secret", "../one/data/secret", "../maps/secret", "maps/secret"]) {
      assert.notEqual(open(two, 3, path), errno.success, path);
    }
    // Numbers that mean something in the other's table.
    for (const fd of [4, 5, 6]) assert.equal(open(two, fd, "secret"), errno.badf);
    const variables = (tested: TestSandbox) =>
      interfaceOf<ReturnType<typeof environment>>(
        tested.instance,
        "wasi:cli/environment@0.2.0",
      ).getEnvironment();
    assert.deepEqual([variables(one), variables(two)], [[["TOKEN", "t"]], []]);
    const allowed = audit
      .entries()
      .filter((entry) => entry.answer === "allowed" && entry.capability !== "fs.private");
    assert.deepEqual(new Set(allowed.map((entry) => entry.plugin)), new Set(["one"]));
    assert.ok(audit.entries().some((entry) => entry.plugin === "two" && entry.answer === "denied"));
    one.sandbox.close();
    two.sandbox.close();
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test("an origin, or an address that a granted name led to, is reached by nobody else", async () => {
  const web = await testServer();
  const raw = net.createServer((socket) => void socket.on("error", () => {}).end());
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  const { port } = raw.address() as net.AddressInfo; // it listens on TCP
  const audit = auditLog();
  const { resolve } = stubResolver({ "name.example": [["127.0.0.1"]] });
  const options = { audit, network: { resolve, addresses: ["127.0.0.1"] } };
  const url = `http://127.0.0.1:${web.port}/`;
  const http: Grant = { capability: "net.http", origins: [url] };
  const one = pluginOf(
    "one",
    [http, { capability: "net.socket", sockets: [`tcp connect name.example ${port}`] }],
    options,
  );
  const two = pluginOf("two", [{ capability: "net.socket", sockets: ["udp connect 127.0.0.1 *"] }], options);
  const get = (tested: TestSandbox) => tested.sandbox.request({ method: "GET", url, headers: [] });
  assert.equal((await get(one)).status, 200);
  await assert.rejects(get(two), HttpFailure);
  await one.sandbox.sockets.lookUp("name.example");
  one.sandbox.sockets.connectTcp({ address: "127.0.0.1", port });
  assert.throws(() => two.sandbox.sockets.connectTcp({ address: "127.0.0.1", port }), SocketError);
  await assert.rejects(two.sandbox.sockets.lookUp("name.example"), SocketError);
  for (const tested of [one, two]) tested.sandbox.close();
  raw.close();
  await web.close();
});

test("a host's own capability, with targets of its own, passes the same gate for each plugin by itself", () => {
  const vocabulary = vocabularyWith([
    {
      name: "signalk.delta.write",
      risk: "medium",
      meaning: "Write values at the named paths",
      target: { field: "paths", kind: "pattern" },
    },
  ]);
  const audit = auditLog();
  const written: string[] = [];
  const grant = { capability: "signalk.delta.write", paths: ["navigation.*"] } as const;
  const one = pluginOf("one", [grant], { audit, vocabulary });
  const two = pluginOf("two", [], { audit, vocabulary });
  const write = ({ sandbox }: TestSandbox, path: string): boolean =>
    sandbox.gate.act(
      "signalk.delta.write",
      path,
      () => written.push(`${sandbox.gate.plugin} ${path}`) > 0,
      () => false,
    );
  assert.equal(write(one, "navigation.speedOverGround"), true);
  assert.equal(write(one, "propulsion.main.revolutions"), false);
  assert.equal(write(two, "navigation.speedOverGround"), false);
  assert.deepEqual(written, ["one navigation.speedOverGround"]);
  assert.deepEqual(
    audit.entries().map(({ plugin, target, answer }) => [plugin, target, answer]),
    [
      ["one", "navigation.speedOverGround", "allowed"],
      ["one", "propulsion.main.revolutions", "denied"],
      ["two", "navigation.speedOverGround", "denied"],
    ],
  );
  // A capability of the host's that its vocabulary does not have is nobody's.
  const plain = pluginOf("plain", [grant], { audit });
  assert.equal(write(plain, "navigation.speedOverGround"), false);
});
