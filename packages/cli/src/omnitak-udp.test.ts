/** A connection over UDP that is made over OmniTAK's API, with a peer that is nothing but a socket. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { before, test } from "node:test";
import { buildExamples } from "../../../examples/build.ts";
import { omnitakRig, until } from "./testing/omnitak-rig.ts";

before(() => buildExamples());

const connections = "/api/v1/connections";

const answer = `<event version="2.0" uid="answer" type="a-f-S" how="m-g" time="2026-11-28T13:00:00Z" start="2026-11-28T13:00:00Z" stale="2027-11-28T12:05:00Z"><point lat="52.1" lon="4.3" hae="0" ce="1" le="1"/><detail/></event>`;

test("a UDP connection sends each event as a datagram, and takes what is answered, also after a restart", async (t) => {
  const peer = createSocket("udp4");
  t.after(() => peer.close());
  peer.bind(0, "127.0.0.1");
  await once(peer, "listening");
  const ships: string[] = [];
  let from = 0;
  let wake = () => {};
  peer.on("message", (bytes, { port }) => {
    from = port;
    const [ship] = /ship-\d+/.exec(bytes.toString("latin1")) ?? [];
    if (ship !== undefined) ships.push(ship);
    wake();
  });
  const heard = async (count: number) => {
    while (ships.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  const omnitak = await omnitakRig(t);
  const operator = omnitak.as("operator");
  const made = await operator("POST", connections, {
    name: "mesh",
    connection_type: "udp",
    address: "127.0.0.1",
    port: peer.address().port,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  omnitak.play(5);
  await heard(5);
  const path = `${connections}/${made.body.id}`;
  peer.send(answer, from, "127.0.0.1");
  await until(() => omnitak.tak.stats().messages >= 6);
  const { status, messages_sent, messages_received } = (await operator("GET", path)).body;
  assert.deepEqual([status, messages_sent, messages_received], ["connected", 5, 1]);

  const next = await omnitak.restart();
  next.play(1, 5);
  await heard(6);
  assert.equal(new Set(ships).size, 6);
  assert.equal((await next.as("operator")("DELETE", path)).status, 200);
});
