/**
 * The administration's own pages in a real browser, as the boat's owner uses them: signalk-server with this host shows our
 * plugins, makes a form of their schemas, and what is saved there reaches the plugin.
 */

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { whyNoAdminPages } from "../../bench/signalk/server-package.ts";
import { buildSignalkExamples, isBuilt } from "../../examples/signalk/build.ts";
import { openPage } from "../../packages/admin/src/testing/browser.ts";
import { openRealServer, until, whyNoServer } from "./real-server.ts";

const plugin = "depth-alarm";
const card = ".plugin-config-card";

/** The package without its settings: somebody has installed it and done nothing yet. */
async function installed(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "remora-signalk-page-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(join(import.meta.dirname, "../../examples/signalk", plugin), folder, { recursive: true });
  return folder;
}

test("an owner configures a plugin in the server's own pages", { timeout: 240_000 }, async (t) => {
  await buildSignalkExamples();
  if (!isBuilt(plugin)) return t.skip("there is no compiler of AssemblyScript");
  const missing = (await whyNoServer()) ?? (await whyNoAdminPages());
  if (missing !== undefined) return t.skip(missing);
  const configuration = { minMetres: 2 };
  const server = await openRealServer(t, "ours", [{ folder: await installed(t), configuration }]);
  const listed = async () => {
    const { body } = await server.request("/skServer/plugins");
    return body.find(({ id }: { id: string }) => id === plugin);
  };
  await until(server, "/skServer/plugins", ({ body }) =>
    JSON.stringify(body).includes("Watching for less than 2.0 m"),
  );
  const page = await openPage(t, `http://127.0.0.1:${server.port}/admin/#/apps/configuration/${plugin}`);
  if (page === undefined) return t.skip("there is no chromium here");
  assert.match(await page.text(`tr[data-plugin-id="${plugin}"]`), /Depth alarm/);
  assert.match(await page.text(`${card} form`), /Shallowest water, metres/);
  assert.match(await page.text(card), /Watching for less than 2\.0 m/);
  await page.type(`${card} form input[type=number]`, "7.5");
  await page.click(`${card} form [type=submit]`);
  await until(server, `/plugins/${plugin}/config`, ({ body }) => body.configuration?.minMetres === 7.5);
  assert.deepEqual((await server.request(`/plugins/${plugin}/config`)).body, {
    enabled: true,
    enableDebug: false,
    configuration: { minMetres: 7.5 },
  });
  await until(server, "/skServer/plugins", ({ body }) => JSON.stringify(body).includes("7.5 m"));
  assert.equal((await listed()).statusMessage, "Watching for less than 7.5 m");
});
