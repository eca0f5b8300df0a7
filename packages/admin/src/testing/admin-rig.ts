/** An admin interface over a manager of its own, with a host of one small world, and a real HTTP client. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Manager, type ManagerPolicy, openManager, type PluginHost } from "remora/manager";
import { coreVocabulary } from "remora/policy";
import { expectDescribed } from "../../../test-openapi.ts";
import { type Role, roles } from "../access/roles.ts";
import { createToken, tokensFile } from "../access/tokens.ts";
import { type Admin, type AdminOptions, openAdmin } from "../open-admin.ts";

export interface Calls {
  readonly run: (value: number) => number;
}

export const run = (calls: Calls, value: number): number => calls.run(value);

const testHost: PluginHost = {
  name: "test",
  version: "1.0.0",
  vocabulary: coreVocabulary,
  worlds: [
    {
      world: "test:plugin/runner@0.1.0",
      hostFunctions: [],
      imports: () => ({}),
      takesSettings: true,
      // The test's own modules export it.
      bind: ({ exports }) => ({ run: (exports as { readonly run?: unknown }).run }),
    },
  ],
};

export const guests = {
  adds: (constant: number) => `(func (export "run") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const ${constant})))`,
  traps: '(func (export "run") (param i32) (result i32) (unreachable))',
};

/** Imports a function that takes `random.read`. */
export const wantsRandom = `(import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (local.get 0))`;

export const randomRequest = `[[capabilities]]
capability = "random.read"
why = "To roll dice"`;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any route; a test that reads a field which is not there fails
  readonly body: any;
  readonly text: string;
  readonly headers: Headers;
}

export type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

export interface AdminRig {
  readonly manager: Manager;
  readonly admin: Admin;
  readonly folder: string;
  readonly port: number;
  readonly logged: string[];
  readonly tokens: Readonly<Record<Role, string>>;
  /** Asks with the token of a role; without one for nobody. */
  as(role: Role | undefined): Client;
}

export async function adminRig(
  t: TestContext,
  options: Partial<AdminOptions> & { policy?: ManagerPolicy } = {},
): Promise<AdminRig> {
  const open: { close(): Promise<void> }[] = [];
  // Before the folder goes, since it may still be writing there.
  t.after(async () => {
    for (const each of open) await each.close();
  });
  const folder = temporary(t);
  const manager = await openManager({
    folder,
    hosts: [testHost],
    policy: { trust: "unsigned", probationMs: 0, healthEveryMs: 0, ...options.policy },
  });
  open.push(manager);
  const logged: string[] = [];
  const tokenOf = (role: Role) => createToken(tokensFile(folder), { name: role, role, nowMs: Date.now() });
  // One for each role.
  const tokens = Object.fromEntries(roles.map((role) => [role, tokenOf(role)])) as Record<Role, string>;
  const admin = await openAdmin({
    manager,
    log: (line) => void logged.push(line),
    nowMs: Date.now,
    ...options,
  });
  open.push(admin);
  const as = (role: Role | undefined) => clientOf(admin.address, role && tokens[role]);
  return { manager, admin, folder, port: Number(new URL(admin.address).port), logged, tokens, as };
}

/** The same, with clients that hold all answers against the interface's OpenAPI document. */
export async function describedRig(...[t, options]: Parameters<typeof adminRig>): Promise<AdminRig> {
  const rig = await adminRig(t, options);
  const { body: document } = await rig.as(undefined)("GET", "/openapi.json");
  const as =
    (role: Role | undefined): Client =>
    async (method, path, sent, headers) => {
      const answer = await rig.as(role)(method, path, sent, headers);
      const { status, body, text } = answer;
      const type = answer.headers.get("content-type");
      const answered = body ?? (text === "" ? undefined : text);
      expectDescribed(document, { method, path, sent, status, type, answered });
      return answer;
    };
  return { ...rig, as };
}

export function clientOf(address: string, token: string | undefined): Client {
  return async (method, path, body, headers = {}) => {
    const isBytes = body instanceof Uint8Array;
    const type = isBytes ? "application/octet-stream" : "application/json";
    const response = await fetch(new URL(path, address), {
      method,
      redirect: "manual",
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": type }),
        ...headers,
      },
      ...(body !== undefined && { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : undefined,
      text,
      headers: response.headers,
    };
  };
}

export function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-admin-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function expectProblem(answer: Answer, status: number, error: string): void {
  assert.deepEqual([answer.status, answer.body?.error], [status, error], answer.text);
  assert.equal(typeof answer.body.message, "string");
}
