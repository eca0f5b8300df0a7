/** A host that runs, and its operator at another terminal: what they do to its plugins costs no message. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { buildExamples, bundlePath } from "../../../examples/build.ts";
import { client, event, listeningPort, settings, start } from "./testing/running-program.ts";

before(() => buildExamples());

const yaml = `listeners:
  - { id: clients, protocol: tcp, bind_addr: "127.0.0.1:0" }
plugins:
  plugin_dir: /
  trust: unsigned
  filters:
    - { id: geofence, path: ${JSON.stringify(bundlePath("tak/geofence-lazy"))}, limits: { fuel: 100000, deadline_ms: 1000 } }
`;

test("while messages stream, a plugin is listed, reloaded, broken and rolled back from another terminal, and none is lost", {
  timeout: 120_000,
}, async (t) => {
  const file = settings(t, yaml);
  const folder = join(dirname(file), ".remora");
  const { child, ended } = start(t, "tak", file, "--json");
  const port = await listeningPort(child);
  const [sender, receiver] = [await client(t, port), await client(t, port)];
  const received: string[] = [];
  let rest = "";
  receiver.setEncoding("utf8").on("data", (text) => {
    const events = (rest + text).split("</event>");
    rest = events.pop() ?? "";
    const uids = events.map((one) => /uid="([^"]+)"/.exec(one)?.[1] ?? "");
    // The host's own, by which it offers the protocol's other version.
    received.push(...uids.filter((uid) => !uid.startsWith("protouid-")));
  });
  const sent: string[] = [];
  // A steady stream, from before the first command until after the last.
  const stream = setInterval(() => {
    const uid = `ship-${sent.length}`;
    sent.push(uid);
    sender.write(event({ uid, lat: 52.1, lon: 4.3 }));
  }, 1);
  t.after(() => clearInterval(stream));
  const remora = async (...args: readonly string[]) => {
    const { code, out, err } = await start(t, ...args, "--folder", folder).ended;
    assert.equal(code, 0, `${args.join(" ")}: ${err}`);
    return out;
  };
  const plugin = async () => JSON.parse(await remora("list", "--json")).plugins[0];

  const first = await plugin();
  assert.deepEqual([first.name, first.version, first.state], ["geofence", "1.0.0", "running"]);
  await remora("reload", "geofence");
  const reloaded = await plugin();
  assert.deepEqual([reloaded.account.reloads, reloaded.account.traps], [1, 0]);
  assert.ok(reloaded.account.calls > first.account.calls);

  // The next version never answers: its first message is answered by the one before, which runs again.
  const change = JSON.parse(await remora("install", bundlePath("tak/geofence-looping"), "--json")).plugins[0];
  assert.deepEqual([change.from, change.held], ["1.0.0", null]);
  const returned = await plugin();
  assert.deepEqual([returned.version, returned.state, returned.account.returns], ["1.0.0", "running", 1]);
  const trail = await remora("audit", "list", "--kind", "plugin.returned", "--json");
  assert.deepEqual(JSON.parse(trail).event.to, "1.0.0");
  assert.equal(JSON.parse(await remora("audit", "verify", "--json")).kind, "intact");

  clearInterval(stream);
  const last = Promise.withResolvers<void>();
  receiver.on("data", () => received.at(-1) === "the-last" && last.resolve());
  sender.write(event({ uid: "the-last", lat: 52.1, lon: 4.3 }));
  await last.promise;
  assert.ok(sent.length > 500, `${sent.length} messages`);
  assert.deepEqual(received, [...sent, "the-last"]);

  child.kill("SIGTERM");
  const { code, out } = await ended;
  assert.equal(code, 0);
  const stats = JSON.parse(out);
  assert.deepEqual([stats.messages, stats.passed, stats.blocked], [sent.length + 1, sent.length + 1, 0]);
});
