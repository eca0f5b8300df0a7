/**
 * What the host writes into a guest of AssemblyScript stays while the guest works: signalk-server's loader allocates and does
 * not pin, so that a collection in between takes the text away.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { boatWith } from "../testing/boats.ts";
import { compiledPlugin } from "../testing/compiled-plugin.ts";

/** Collects garbage and makes new before it looks at what it was given. */
const source = `
  @external("env", "sk_set_status")
  declare function setStatus(text: usize, length: i32): void;

  function churn(): void {
    __collect();
    for (let size = 8; size < 512; size += 8) new Uint8Array(size).fill(0xff);
    __collect();
  }
  export function plugin_name(): string { return "Churns"; }
  export function plugin_schema(): string { return "{}"; }
  export function plugin_start(config: usize, length: i32): i32 {
    churn();
    return String.UTF8.decodeUnsafe(config, length).includes('"depth":7') ? 0 : 1;
  }
  export function plugin_stop(): i32 { return 0; }
  export function delta_handler(delta: string): void {
    churn();
    if (delta.includes('"path":"a"')) tell("heard");
  }
  export function http_endpoints(): string {
    return '[{"method":"GET","path":"/two","handler":"two"}]';
  }
  export function two(request: string): string {
    churn();
    return request.includes('"path":"/two"') ? '{"statusCode":200,"body":"whole"}' : '{"statusCode":500}';
  }
  function tell(text: string): void {
    const bytes = String.UTF8.encode(text);
    setStatus(changetype<usize>(bytes), bytes.byteLength);
  }
`;

test("a configuration, a delta and a request are whole though the guest collects its garbage before it reads them", async (t) => {
  const guest = await compiledPlugin(source);
  const configuration = { depth: 7 };
  const boat = await boatWith(t, [{ name: "churns", guest }], {
    settingsDefault: { enabled: true, enableDebug: false, configuration },
    // It collects on purpose, on a machine that may be busy.
    plugins: { limits: { deadlineMs: 2_000 } },
  });
  const [plugin] = boat.plugins.all();
  assert.equal(plugin?.state, "running", String(plugin?.statusMessage));
  for (let round = 0; round < 10; round++) {
    assert.equal((await boat.fetch("/plugins/churns/two")).text, "whole");
    boat.server.input({ updates: [{ values: [{ path: "a", value: round }] }] }, "x");
  }
  await boat.fetch("/plugins/churns/two");
  assert.equal(plugin.statusMessage, "heard");
});
