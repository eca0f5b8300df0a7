import assert from "node:assert/strict";
import os from "node:os";
import { test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import { HttpFailure } from "../http/failure.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import { addressKindHere, localFour, localSix } from "./own-addresses.ts";
import { SocketError } from "./sockets.ts";

// Public by number, of servers of the domain name system's root.
const own = "198.41.0.4";
const ownSix = "2001:500:2::c";
const foreign = "199.7.83.42";

const of = (...addresses: readonly string[]) => ({
  eth0: addresses.map((address) => ({ address, family: "IPv4" }) as os.NetworkInterfaceInfo),
});

test("what a machine has on its own interfaces is not public, however it is spelled, and is looked up again", (t) => {
  const interfaces = t.mock.method(os, "networkInterfaces", () => of(own, ownSix, "127.0.0.1"));
  const now = t.mock.method(performance, "now", () => 1e9);
  for (const address of [own, `::ffff:${own}`, ownSix, "2001:0500:0002:0:0:0:0:c", "64:ff9b::c629:4"]) {
    assert.equal(addressKindHere(address), "own", address);
  }
  assert.equal(addressKindHere(foreign), "public");
  assert.equal(addressKindHere("127.0.0.1"), "loopback");
  assert.equal(interfaces.mock.callCount(), 1);
  interfaces.mock.mockImplementation(() => of(foreign));
  now.mock.mockImplementation(() => 1e9 + 1_001);
  assert.equal(addressKindHere(foreign), "own");
  assert.equal(addressKindHere(own), "public");
});

test("what the kernel calls local is, also on an interface that is down, as a whole network, and for all on one", () => {
  const four = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 198.41.0.0
        /24 link UNICAST
     |-- 198.41.0.4
        /32 host LOCAL
     |-- 198.41.0.255
        /32 link BROADCAST
     |-- 199.7.83.0
        /24 host LOCAL
`;
  assert.deepEqual(localFour(four), ["198.41.0.4/32", "198.41.0.255/32", "199.7.83.0/24"]);
  const none = "00000000000000000000000000000000";
  const six = [
    `20010500000200000000000000000000 40 ${none} 00 ${none} 00000100 00000001 00000000 00000001     eth0`,
    `2001050000020000000000000000000c 80 ${none} 00 ${none} 00000000 00000004 00000000 80200001     eth0`,
    `20010500000200000000000000000000 80 ${none} 00 ${none} 00000000 00000003 00000000 00300001     eth0`,
  ].join("\n");
  assert.deepEqual(localSix(six), [
    "2001:0500:0002:0000:0000:0000:0000:000c/128",
    "2001:0500:0002:0000:0000:0000:0000:0000/128",
  ]);
});

test("who cannot ask for the interfaces goes by what was known", (t) => {
  const interfaces = t.mock.method(os, "networkInterfaces", () => of(own));
  const now = t.mock.method(performance, "now", () => 3e9);
  assert.equal(addressKindHere(own), "own");
  interfaces.mock.mockImplementation(() => {
    throw Object.assign(new Error("too many files are open"), { code: "EMFILE" });
  });
  now.mock.mockImplementation(() => 3e9 + 1_001);
  assert.equal(addressKindHere(own), "own");
  assert.equal(addressKindHere(foreign), "public");
});

test("a guest that may talk to anybody does not reach its own machine by a public address", async (t) => {
  t.mock.method(os, "networkInterfaces", () => of(own));
  t.mock.method(performance, "now", () => 2e9);
  const grants: Grant[] = [
    { capability: "net.http", origins: ["*"] },
    { capability: "net.socket", sockets: ["tcp connect * *", "udp connect * *"] },
  ];
  const { sandbox, audit } = testSandbox({ grants, network: { resolve: async () => [own] } });
  t.after(() => sandbox.close());
  for (const url of [`http://${own}/`, "http://near.example/"]) {
    await assert.rejects(sandbox.request({ method: "GET", url, headers: [] }), (error) => {
      return error instanceof HttpFailure && error.reason.tag === "destination-IP-prohibited";
    });
  }
  const denied = (error: unknown) => error instanceof SocketError && error.problem === "access-denied";
  assert.throws(() => sandbox.sockets.connectTcp({ address: own, port: 22 }), denied);
  const port = sandbox.sockets.openUdp("ipv4");
  assert.throws(() => port.send(new Uint8Array(1), { address: own, port: 53 }), denied);
  const refused = audit.entries().filter(({ answer }) => answer !== "allowed");
  assert.equal(refused.length, 4);
});
