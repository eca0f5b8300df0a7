/** What `remora new` begins does what its README says, on its host: the bundle is installed there, and asked. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { runSignalk } from "@remora/signalk";
import { type CotMessage, createMessage, pluginHost } from "@remora/tak";
import { giveAll, openManager } from "remora/manager";
import type { TemplateName } from "../templates.ts";

export interface BegunPlugin {
  readonly template: TemplateName;
  readonly name: string;
  readonly bundle: string;
  /** An empty one, for its host. */
  readonly folder: string;
}

export async function expectAnswers(t: TestContext, plugin: BegunPlugin): Promise<void> {
  if (plugin.template.startsWith("signalk/")) return expectDepth(t, plugin);
  if (plugin.template.endsWith("-transformer")) return expectDetail(t, plugin);
  return expectArea(t, plugin);
}

async function expectDepth(t: TestContext, { bundle, name, folder }: BegunPlugin): Promise<void> {
  const host = await runSignalk({
    dataFolder: join(folder, "data"),
    modulesFolders: [],
    port: 0,
    log: () => {},
    settingsDefault: { enabled: true, enableDebug: false, configuration: {} },
    bundles: { folder: join(folder, "plugins"), policy: { trust: "unsigned" }, asker: giveAll },
  });
  t.after(() => host.close());
  const turn = () => fetch(`http://127.0.0.1:${host.http.port}/signalk`).then((response) => response.text());
  await host.bundles?.manager.install(bundle);
  while (host.bundles?.all().some(({ state }) => state === "starting")) await turn();
  const plugin = host.bundles?.get(name);
  assert.equal(plugin?.statusMessage, "Waiting for a depth");
  const input = (path: string, value: number) =>
    host.server.input({ updates: [{ values: [{ path, value }] }] }, "test");
  input("navigation.speedOverGround", 3);
  // A machine that is busy hands deltas over later.
  for (let turns = 0; turns < turnsMax && plugin?.statusMessage === "Waiting for a depth"; turns++) {
    input("environment.depth.belowTransducer", 4.5);
    await turn();
  }
  assert.equal(plugin?.statusMessage, "Depth is 4.5 m");
}

const turnsMax = 1_000;

/** As the TAK host binds a filter of any shape, and a transformer. */
interface Calls {
  decide(message: CotMessage): boolean;
  transform(xml: Uint8Array): Uint8Array;
}

async function install(t: TestContext, { bundle, folder }: BegunPlugin) {
  const hosts = [pluginHost({ log: () => {} })];
  const manager = await openManager({ folder, hosts, policy: { trust: "unsigned" }, asker: giveAll });
  t.after(() => manager.close());
  return manager.install<Calls>(bundle);
}

async function expectArea(t: TestContext, begun: BegunPlugin): Promise<void> {
  const plugin = await install(t, begun);
  const decide = (lat: number) =>
    plugin.use(
      (calls, message) => calls.decide(message),
      createMessage({ type: "a-f-G", uid: "one", lat, lon: 4.3, timeMs: 0, staleMs: 1 }),
    );
  assert.deepEqual([decide(52), decide(53)], [true, false]);
}

async function expectDetail(t: TestContext, begun: BegunPlugin): Promise<void> {
  const plugin = await install(t, begun);
  const event = new TextEncoder().encode("<event><detail></detail></event>");
  const marked = plugin.use((calls, xml) => calls.transform(xml), event);
  const element = `<__${begun.name} seen="true"/>`;
  assert.equal(new TextDecoder().decode(marked), `<event><detail>${element}</detail></event>`);
}
