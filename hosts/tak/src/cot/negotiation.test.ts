import assert from "node:assert/strict";
import { test } from "node:test";
import { createMessage, readMessage } from "./event-decoder.ts";
import { TIME_MS, UNIT } from "./events.fixture.ts";
import { readNegotiation, writeOffer, writeRequest, writeResponse } from "./negotiation.ts";

const negotiate = (type: string, control: string) =>
  readNegotiation(
    createMessage(
      { type, uid: "protouid", timeMs: 0, staleMs: 0, lat: 0, lon: 0 },
      `<TakControl>${control}</TakControl>`,
    ),
  );

test("offer, request and response are read as they are written", () => {
  assert.deepEqual(readNegotiation(writeOffer("u", TIME_MS)), { kind: "offer", versions: [1] });
  assert.deepEqual(readNegotiation(writeRequest("u", TIME_MS)), { kind: "request", version: 1 });
  assert.deepEqual(readNegotiation(writeResponse("u", TIME_MS, true)), {
    kind: "response",
    isAccepted: true,
  });
  assert.deepEqual(readNegotiation(writeResponse("u", TIME_MS, false)), {
    kind: "response",
    isAccepted: false,
  });
  assert.equal(readNegotiation(readMessage(Buffer.from(UNIT))), undefined);
});

test("an offer may name several versions, a request must name one", () => {
  const support = (version: string) => `<TakProtocolSupport version="${version}"/>`;
  assert.deepEqual(negotiate("t-x-takp-v", support("1") + support("2") + support("new")), {
    kind: "offer",
    versions: [1, 2],
  });
  assert.deepEqual(negotiate("t-x-takp-q", '<TakRequest version="1"/><TakRequest version="2"/>'), {
    kind: "request",
    version: undefined,
  });
  assert.deepEqual(negotiate("t-x-takp-q", ""), { kind: "request", version: undefined });
  assert.deepEqual(negotiate("t-x-takp-r", ""), { kind: "response", isAccepted: false });
});
