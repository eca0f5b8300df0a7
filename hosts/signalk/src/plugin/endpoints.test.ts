import assert from "node:assert/strict";
import { test } from "node:test";
import { matchEndpoint, readEndpoints, readResponse } from "./endpoints.ts";

const endpoints = readEndpoints(
  "p",
  JSON.stringify([
    { method: "get", path: "/api/marks", handler: "list" },
    { method: "GET", path: "/api/marks/:id/name", handler: "name" },
    { method: "PATCH", path: "/api/marks", handler: "patch" },
  ]),
);

test("a request finds its endpoint by method and parts, with the named ones", () => {
  assert.equal(matchEndpoint(endpoints, "GET", "/api/marks")?.endpoint.handler, "list");
  assert.equal(matchEndpoint(endpoints, "HEAD", "/api/marks/")?.endpoint.handler, "list");
  const named = matchEndpoint(endpoints, "GET", "/api/marks/7/name");
  assert.deepEqual({ ...named?.params }, { id: "7" });
  assert.equal(matchEndpoint(endpoints, "POST", "/api/marks"), undefined);
  assert.equal(matchEndpoint(endpoints, "PATCH", "/api/marks"), undefined);
  assert.equal(matchEndpoint(endpoints, "GET", "/api/marks/7"), undefined);
});

for (const json of [
  "",
  "{}",
  "[1]",
  '[{"method":"GET","path":"x","handler":"h"}]',
  '[{"method":"GET"}]',
  JSON.stringify(Array(101).fill({})),
]) {
  test(`${json.slice(0, 40)} is no list of endpoints`, () => {
    assert.throws(() => readEndpoints("p", json), { code: "signalk/bad-answer" });
  });
}

test("a response has a status, headers that are this host's left out, and a text", () => {
  const json =
    '{"statusCode":201,"headers":{"X-A":"b","Content-Length":"9999","transfer-encoding":"chunked"},"body":{"a":1}}';
  const { statusCode, headers, body } = readResponse("p", "h", json);
  const type = { "Content-Type": "application/json; charset=utf-8" };
  assert.deepEqual([statusCode, { ...headers }, body], [201, { "X-A": "b", ...type }, '{"a":1}']);
});

test("the type that a plugin gives to its answer is the answer's, and a text without one is left without", () => {
  const headersOf = (json: string) => ({ ...readResponse("p", "h", json).headers });
  assert.deepEqual(headersOf('{"headers":{"content-type":"a/b"},"body":[1]}'), { "content-type": "a/b" });
  assert.deepEqual(headersOf('{"body":"a"}'), {});
});

for (const json of [
  "nothing",
  "null",
  '{"statusCode":99}',
  '{"statusCode":"200"}',
  '{"statusCode":101}',
  '{"headers":{"X":"a\\r\\nSet-Cookie: b"}}',
  '{"headers":{"a b":"c"}}',
  '{"headers":[]}',
]) {
  test(`${json} is no response`, () => {
    assert.throws(() => readResponse("p", "h", json), { code: "signalk/bad-answer" });
  });
}
