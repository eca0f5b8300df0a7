import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { start } from "./testing/running-program.ts";
import { writeWhole } from "./write-whole.ts";

/** Without rights of their own, and links only for administrators. */
const options = { skip: process.platform === "win32", timeout: 60_000 };

const key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "remora-write-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test(
  "a revocation by a link stands in the store that it leads to, which keeps its rights",
  options,
  async (t) => {
    const folder = folderOf(t);
    const [store, link] = [join(folder, "midi", "trusted_keys.toml"), join(folder, "link.toml")];
    mkdirSync(join(folder, "midi"));
    const trusted = `[[keys]]\nname = "Ada"\nemail = ""\npublic_key = "${key}"\nadded_at = "2026-01-01T00:00:00Z"\n`;
    writeFileSync(store, trusted);
    chmodSync(store, 0o600);
    symlinkSync(join("midi", "trusted_keys.toml"), link);
    const { code, err } = await start(t, "keys", "revoke", key, "--store", link).ended;
    assert.equal(code, 0, err);
    assert.match(readFileSync(store, "utf8"), /^\[\[revoked_keys\]\]$/m);
    assert.equal(statSync(store).mode & 0o777, 0o600);
    assert.ok(lstatSync(link).isSymbolicLink());
  },
);

test("what a link leads to is made where it is not there yet", options, async (t) => {
  const folder = folderOf(t);
  symlinkSync("folder", join(folder, "by-link"));
  mkdirSync(join(folder, "folder"));
  symlinkSync(join("..", "second"), join(folder, "folder", "first"));
  symlinkSync("third", join(folder, "second"));
  await writeWhole(join(folder, "by-link", "first"), new Uint8Array(3), "replace");
  assert.equal(statSync(join(folder, "third")).size, 3);
  await writeWhole(join(folder, "by-link", "plain"), new Uint8Array(4), "replace");
  assert.deepEqual(readdirSync(join(folder, "folder")), ["first", "plain"]);
});

test("what cannot be written leaves nothing behind", options, async (t) => {
  const folder = folderOf(t);
  symlinkSync("round", join(folder, "round"));
  symlinkSync(join("none", "file"), join(folder, "dangling"));
  const refused = async (name: string, code: string) =>
    assert.rejects(writeWhole(join(folder, name), new Uint8Array(1), "replace"), { code });
  await refused("round", "ELOOP");
  await refused("dangling", "ENOENT");
  await refused(join("none", "file"), "ENOENT");
  await refused("none/", "ENOENT");
  await refused(".", "EISDIR");
  assert.deepEqual(readdirSync(folder), ["dangling", "round"]);
});
