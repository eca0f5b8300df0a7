/** Connections over TLS that are made over OmniTAK's API, with peers that are nothing but Node's own sockets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { buildExamples } from "../../examples/build.ts";
import { makeCertificates } from "../../hosts/tak/src/net/peers.fixture.ts";
import { freePort } from "../../packages/cli/src/testing/free-port.ts";
import { type OmnitakRig, omnitakRig, shipsIn, until } from "../../packages/cli/src/testing/omnitak-rig.ts";

before(() => buildExamples());

const connections = "/api/v1/connections";
const range = (count: number) => Array.from({ length: count }, (_, at) => at);

async function made({ as }: OmnitakRig, fields: Readonly<Record<string, unknown>>): Promise<string> {
  const { status, body } = await as("operator")("POST", connections, { address: "127.0.0.1", ...fields });
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const view = async ({ as }: OmnitakRig, id: string) =>
  (await as("reader")("GET", `${connections}/${id}`)).body;

const time = "2026-11-28T13:00:00.000Z";
const event = `<event version="2.0" uid="sent" type="a-f-S" how="m-g" time="${time}" start="${time}" stale="2027-11-28T12:05:00Z"><point lat="52.1" lon="4.3" hae="0" ce="1" le="1"/><detail/></event>`;

const certificates = makeCertificates();

describe("TLS", { skip: certificates === undefined && "no openssl here to make certificates" }, () => {
  // Without them these tests do not run.
  const { ca, server, client } = certificates ?? ({} as NonNullable<typeof certificates>);

  /** Fields of a connection with a certificate in files. */
  function filesOf(t: TestContext, { key, cert }: typeof server) {
    const folder = mkdtempSync(join(tmpdir(), "remora-tls-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const fields = { tls_cert_path: join(folder, "cert.pem"), tls_key_path: join(folder, "key.pem") };
    writeFileSync(fields.tls_cert_path, cert);
    writeFileSync(fields.tls_key_path, key);
    return fields;
  }

  /** A TAK server that lets in whom its root has signed. */
  async function takServer(t: TestContext) {
    const sockets: TLSSocket[] = [];
    let text = "";
    const listening = createServer(
      { ...server, ca, requestCert: true, rejectUnauthorized: true },
      (socket) => {
        sockets.push(socket);
        socket.on("error", () => {});
        socket.on("data", (chunk) => {
          text += chunk;
        });
      },
    );
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      listening.close();
    });
    listening.listen(0, "127.0.0.1");
    await once(listening, "listening");
    const { port } = listening.address() as AddressInfo; // a TCP server's is no path
    return { port, sockets, heard: () => shipsIn(text) };
  }

  test("a listener shows its certificate, takes events, and sends them", async (t) => {
    const omnitak = await omnitakRig(t);
    const port = await freePort();
    const id = await made(omnitak, {
      name: "field",
      connection_type: "tlsserver",
      port,
      ...filesOf(t, server),
    });
    const peer = connect({ host: "127.0.0.1", port, ca });
    t.after(() => peer.destroy());
    await once(peer, "secureConnect");
    assert.equal(peer.authorized, true);
    let text = "";
    peer.on("data", (chunk) => {
      text += chunk;
    });
    const before = omnitak.tak.stats().messages;
    peer.write(event);
    await until(() => omnitak.tak.stats().messages === before + 1);
    omnitak.play(5);
    await until(() => shipsIn(text).length === 5);
    const { connection_type, status, messages_received } = await view(omnitak, id);
    assert.deepEqual([connection_type, status, messages_received], ["tlsserver", "connected", 1]);
  });

  test("a server that nobody vouches for gets no event, until it is said that it need not be verified", async (t) => {
    const omnitak = await omnitakRig(t);
    const remote = await takServer(t);
    const fields = {
      name: "upstream",
      connection_type: "tlsclient",
      address: "127.0.0.1",
      port: remote.port,
      ...filesOf(t, client),
    };
    const id = await made(omnitak, fields);
    await until(async () => (await view(omnitak, id)).status === "error");
    assert.match((await view(omnitak, id)).error, /^tak\/connect-failed: /);
    omnitak.play(5);
    assert.deepEqual(remote.heard(), []);

    const path = `${connections}/${id}`;
    const changed = await omnitak.as("operator")("PUT", path, { ...fields, validate_certs: false });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    await until(async () => (await view(omnitak, id)).status === "connected");
    assert.equal(remote.sockets.at(-1)?.authorized, true);
    omnitak.play(5, 5);
    await until(() => remote.heard().length === 5);
    assert.deepEqual(
      remote.heard(),
      range(10).filter((ship) => ship >= 5),
    );
  });
});
