/** OmniTAK's API on a TAK host that runs, with clients in each role; all that it answers is in its OpenAPI document. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createToken, openAdmin, tokensFile } from "@remora/admin";
import { createMessage, omnitakApi, type RunningTak, runTak } from "@remora/tak";
import { bundlePath, componentPath } from "../../../../examples/build.ts";
import { expectDescribed, type OpenApiDocument } from "../../../test-openapi.ts";

const jwtSecret = new TextEncoder().encode("a secret of at least 32 bytes, for tests");

export interface Answer {
  readonly status: number;
  // `any`, since the API answers in JSON of many shapes: a test names the fields that it expects, and one that is missing fails it.
  // biome-ignore lint/suspicious/noExplicitAny: as was just said
  readonly body: any;
}

export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

export interface OmnitakRig {
  readonly tak: RunningTak;
  readonly address: string;
  readonly tokens: ReadonlyMap<string, string>;
  as(role: "admin" | "operator" | "reader", header?: "x-api-key"): Ask;
  with(headers: Readonly<Record<string, string>>): Ask;
  /** Closes it, and opens another one on the same folder. */
  restart(): Promise<OmnitakRig>;
  /** Sends so many positions through the chain, of ships with the numbers from `first` on. */
  play(count: number, first?: number): void;
}

/** @param routing Lines of the configuration. */
export async function omnitakRig(
  t: TestContext,
  { routing = "" }: { readonly routing?: string } = {},
): Promise<OmnitakRig> {
  const folder = mkdtempSync(join(tmpdir(), "remora-omnitak-"));
  const closers: (() => Promise<void>)[] = [];
  t.after(async () => {
    // Before the folder goes, since it may still be writing there.
    for (const close of closers) await close();
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, "plugins"));
  for (const [name, example] of [
    ["geofence.wasm", "tak/geofence-filter"],
    ["add-detail.wasm", "tak/add-detail-transformer"],
  ] as const) {
    copyFileSync(componentPath(example), join(folder, "plugins", name));
  }
  copyFileSync(bundlePath("tak/geofence-looping"), join(folder, "plugins", "looping.bundle"));
  writeFileSync(join(folder, "secret.wasm"), "outside");
  symlinkSync(join(folder, "secret.wasm"), join(folder, "plugins", "link.wasm"));
  const configFile = join(folder, "tak.yaml");
  writeFileSync(
    configFile,
    `listeners:
  - { id: clients, protocol: tcp, bind_addr: "127.0.0.1:0" }
plugins:
  plugin_dir: plugins
  trust: unsigned
  filters:
    - { id: geofence, path: geofence.wasm, limits: { fuel: 100000, deadline_ms: 1000 } }
${routing}`,
  );
  return opened(closers, folder, configFile);
}

async function opened(
  closers: (() => Promise<void>)[],
  folder: string,
  configFile: string,
  known?: ReadonlyMap<string, string>,
): Promise<OmnitakRig> {
  const tak = await runTak({ configFile, log: () => {} });
  const { manager } = tak.host;
  const { host, connections, kept } = tak;
  const api = omnitakApi({
    host,
    connections,
    kept,
    pluginFolder: join(folder, "plugins"),
    nowMs: Date.now,
    memoryBytes: process.memoryUsage.rss,
  });
  const admin = await openAdmin({ manager, mounts: [api], jwtSecret, log: () => {}, nowMs: Date.now });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      await admin.close();
      api.close();
      await tak.close();
    })();
    return closed;
  };
  closers.push(close);
  const document = (await (await fetch(`${admin.address}/openapi.json`)).json()) as OpenApiDocument;
  const file = tokensFile(manager.folder);
  const tokens =
    known ??
    new Map(
      (["admin", "operator", "reader"] as const).map((role) => [
        role,
        createToken(file, { name: role, role, nowMs: Date.now() }),
      ]),
    );
  const withHeaders =
    (headers: Readonly<Record<string, string>>): Ask =>
    async (method, path, body) => {
      const response = await fetch(new URL(path, admin.address), {
        method,
        headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") ?? false;
      const answer = { status: response.status, body: isJson ? JSON.parse(text) : text || undefined };
      expectDescribed(document, {
        method,
        path,
        sent: body,
        type: response.headers.get("content-type"),
        answered: answer.body,
        status: answer.status,
      });
      return answer;
    };
  return {
    tak,
    address: admin.address,
    tokens,
    with: withHeaders,
    async restart() {
      await close();
      return opened(closers, folder, configFile, tokens);
    },
    as: (role, header) => {
      const token = tokens.get(role) ?? "";
      return withHeaders(header === undefined ? { authorization: `Bearer ${token}` } : { [header]: token });
    },
    play: (count, first = 0) => {
      for (let n = first; n < first + count; n++) {
        const timeMs = Date.UTC(2026, 10, 28, 12, 0, 0, n);
        tak.host.accept(
          createMessage({
            uid: `ship-${n}`,
            type: "a-f-S",
            timeMs,
            staleMs: timeMs + 60_000,
            lat: 52.1,
            lon: 4.3,
          }),
          undefined,
        );
      }
    },
  };
}

/** The numbers of the ships in what a peer was sent, in their order. */
export function shipsIn(xml: string): number[] {
  return Array.from(xml.matchAll(/uid="ship-(\d+)"/g), ([, number]) => Number(number));
}

/** Lets everything run that is ready to, until it is true; for no longer than it may take on a busy machine. */
export async function until(isTrue: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, `not within ${withinMs} ms: ${isTrue}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** As OmniTAK signs it. */
export function jwt(
  claims: Readonly<Record<string, unknown>>,
  {
    alg = "HS256",
    secret = "a secret of at least 32 bytes, for tests",
  }: { alg?: string; secret?: string } = {},
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg, typ: "JWT" })}.${part(claims)}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}
