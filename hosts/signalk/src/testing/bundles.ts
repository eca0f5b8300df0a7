/** Bundles of small guests, and a host with a manager, for tests. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { packBundle } from "remora/bundle";
import { giveAll } from "remora/manager";
import type { BundleOptions, Bundles } from "../managed/bundles.ts";
import type { RunSignalkOptions } from "../run.ts";
import { type Boat, boatWith, type PluginPackage } from "./boats.ts";
import { type GuestText, guestBytes } from "./guest-text.ts";

export interface BundleText {
  readonly guest: GuestText | Uint8Array;
  readonly name?: string;
  readonly version?: string;
  /** Lines of the manifest before its tables. */
  readonly top?: string;
  readonly world?: string;
  /** What it asks for, with all targets. */
  readonly capabilities?: readonly string[];
  /** Tables at the manifest's end. */
  readonly tables?: string;
  /** More files of it, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

const targets: Readonly<Record<string, string>> = {
  "data.read": 'paths = ["*"]',
  "data.write": 'paths = ["*"]',
  "control.put": 'paths = ["*"]',
  "http.serve": 'paths = ["/plugins/*"]',
  "provider.register": 'kinds = ["*"]',
  "net.http": 'origins = ["*"]',
};

const all = ["data.read", "data.write", "control.put", "http.serve", "provider.register"];

/** As `manager.install` takes it. */
export async function bundleOf(text: BundleText): Promise<{ bytes: Uint8Array; origin: string }> {
  const { guest, name = "watch", version = "1.0.0", world = "signalk:core/buffer@0.1.0" } = text;
  const { top = "", capabilities = all, tables = "", files = {} } = text;
  const manifest = `name = "${name}"
version = "${version}"
description = "For a test"
authors = ["Ada Example"]
licence = "Apache-2.0"
${top.includes("tags = ") ? "" : 'tags = ["test"]'}
files = ${JSON.stringify(Object.keys(files))}
${top}
[host]
name = "signalk"
version = "^0.1.0"
[[artifacts]]
file = "plugin.wasm"
world = "${world}"
${capabilities.map((each) => `[[capabilities]]\ncapability = "${each}"\n${targets[each] ?? ""}\nwhy = "a test"`).join("\n")}
${tables}`;
  const bytes = packBundle(
    new Map([
      ["remora.toml", new TextEncoder().encode(manifest)],
      ...Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)] as const),
      ["plugin.wasm", guest instanceof Uint8Array ? guest : await guestBytes(guest)],
    ]),
  );
  return { bytes, origin: "a test" };
}

export interface BundleBoat extends Boat {
  readonly bundles: Bundles;
  install(text: BundleText): Promise<void>;
}

/** A host with a manager whose operator gives everything. */
export async function boatWithBundles(
  t: TestContext,
  bundles: Partial<BundleOptions> = {},
  options: Partial<RunSignalkOptions> & { readonly packages?: readonly PluginPackage[] } = {},
): Promise<BundleBoat> {
  const { packages = [], ...run } = options;
  const made = await mkdtemp(join(tmpdir(), "remora-signalk-"));
  const folder = bundles.folder ?? join(made, "bundles");
  const policy = { trust: "unsigned", healthEveryMs: 0, ...bundles.policy } as const;
  const boat = await boatWith(t, packages, {
    ...run,
    bundles: { asker: giveAll, ...bundles, folder, policy },
  });
  // Behind the host's own end, which `boatWith` has asked for: until then it may be writing there.
  t.after(() => rm(made, { recursive: true, force: true }));
  const opened = boat.bundles;
  if (opened === undefined) throw new Error("a host that was given a folder has bundles");
  return {
    ...boat,
    bundles: opened,
    install: async (text) => {
      await opened.manager.install(await bundleOf(text));
      await idle(opened);
    },
  };
}

/** Until what is starting has started, or has not. */
async function idle(bundles: Bundles): Promise<void> {
  await until(() => !bundles.all().some(({ state }) => state === "starting"));
  await turn();
}

/** Lets everything run that is ready to, until it is true. */
export async function until(isTrue: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isTrue() && performance.now() < endMs) await turn();
  assert.ok(isTrue(), String(isTrue));
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
