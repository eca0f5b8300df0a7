import assert from "node:assert/strict";
import { test } from "node:test";
import { type AddressKind, addressKind, isInNetworks } from "./address.ts";

const rows: readonly [string, AddressKind][] = [
  ["8.8.8.8", "public"],
  ["1.1.1.1", "public"],
  ["192.0.1.1", "public"],
  ["172.15.255.255", "public"],
  ["172.32.0.0", "public"],
  ["100.63.255.255", "public"],
  ["100.128.0.0", "public"],
  ["223.255.255.255", "public"],
  ["2606:4700::1111", "public"],
  ["2a00:1450:4001::200e", "public"],
  ["::ffff:8.8.8.8", "public"],
  ["64:ff9b::808:808", "public"],
  ["2002:808:808::1", "public"],
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", "unspecified"],
  ["::", "unspecified"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["::1", "loopback"],
  ["0:0:0:0:0:0:0:1", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["::127.0.0.1", "loopback"],
  ["::ffff:0:127.0.0.1", "loopback"],
  ["64:ff9b::7f00:1", "loopback"],
  ["2002:7f00:1::", "loopback"],
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.0.1", "private"],
  ["fc00::1", "private"],
  ["fd12:3456::1", "private"],
  ["fec0::1", "private"],
  ["64:ff9b:1::a00:1", "private"],
  ["2002:c0a8:1::", "private"],
  ["169.254.169.254", "link-local"],
  ["::ffff:169.254.169.254", "link-local"],
  ["64:ff9b::a9fe:a9fe", "link-local"],
  ["fe80::1", "link-local"],
  ["febf::1", "link-local"],
  ["fd00:ec2::254", "private"],
  ["100.100.100.200", "shared"],
  ["100.64.0.1", "shared"],
  ["168.63.129.16", "reserved"],
  ["192.0.0.192", "reserved"],
  ["198.18.0.1", "reserved"],
  ["203.0.113.7", "reserved"],
  ["255.255.255.255", "reserved"],
  ["224.0.0.1", "multicast"],
  ["ff02::1", "multicast"],
  ["2001:db8::1", "reserved"],
  ["2001::1", "reserved"],
  ["100::1", "reserved"],
  ["4000::1", "reserved"],
  ["localhost", "malformed"],
  ["127.1", "malformed"],
  ["0177.0.0.1", "malformed"],
  ["0x7f000001", "malformed"],
  ["2130706433", "malformed"],
  ["10.0.0.0/8", "malformed"],
  ["8.8.8.8/32", "malformed"],
  ["2606:4700::1111/128", "malformed"],
  ["fe80::1%eth0", "malformed"],
  ["1.2.3.4.5", "malformed"],
  ["1::2::3", "malformed"],
  ["", "malformed"],
];

test("an address is public only when it is nobody's own, also when it is carried in another", () => {
  for (const [address, kind] of rows) assert.equal(addressKind(address), kind, address);
});

test("networks contain what they say, and nothing of the other family", () => {
  assert.ok(isInNetworks("192.168.1.7", ["10.0.0.0/8", "192.168.1.0/24"]));
  assert.ok(isInNetworks("127.0.0.1", ["127.0.0.1"]));
  assert.ok(!isInNetworks("192.168.2.7", ["192.168.1.0/24"]));
  assert.ok(!isInNetworks("::1", ["0.0.0.0/0"]));
  assert.ok(!isInNetworks("nonsense", ["0.0.0.0/0"]));
});
