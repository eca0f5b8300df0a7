import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { temporary } from "../testing/admin-rig.ts";
import { signJwt } from "./jwt.ts";
import { Logins } from "./logins.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import { createUser, readUsers, removeUser, usersFile } from "./users.ts";

const startMs = Date.UTC(2026, 10, 28);
const password = "correct horse";

function rig(t: TestContext, { failuresPerMinuteMax = 5 } = {}) {
  const file = usersFile(temporary(t));
  const clock = { dateMs: startMs, monotonicMs: 0 };
  const lines: unknown[] = [];
  const logins = new Logins({
    file,
    failuresPerMinuteMax,
    nowMs: () => clock.dateMs,
    monotonicMs: () => clock.monotonicMs,
    trail: { append: (event) => void lines.push({ ...event }) as never },
  });
  const add = (name: string, role: "admin" | "reader" = "reader") =>
    createUser(file, { name, role, password, nowMs: clock.dateMs });
  const logIn = (name: string, tried = password, address = "192.0.2.1") =>
    logins.logIn({ name, password: tried, address });
  return { file, clock, lines, logins, add, logIn };
}

test("a password is kept as scrypt with a salt of its own, and nothing else is taken for it", async () => {
  const [one, other] = await Promise.all([hashPassword(password), hashPassword(password)]);
  assert.match(one, /^scrypt\$32768\$8\$3\$/);
  assert.notEqual(one, other);
  assert.ok(await isPassword(password, one));
  assert.ok(
    await isPassword("e\u0301ncore un", await hashPassword("\u00e9ncore un")),
    "one letter in two ways",
  );
  assert.ok(!(await isPassword("correct horsE", one)));
  for (const wrong of ["short", "x".repeat(1_001), ""]) {
    await assert.rejects(hashPassword(wrong), { code: "admin/weak-password" });
  }
});

test("who logs in gets a token in the role that they have now, until it ends or they are removed", async (t) => {
  const { file, clock, lines, logins, add, logIn } = rig(t);
  await add("ada", "admin");
  const login = await logIn("ada");
  assert.equal(login?.role, "admin");
  const token = login?.token ?? "";
  assert.deepEqual(logins.callerOf(token), { name: "user:ada", role: "admin" });
  assert.deepEqual(lines, [{ kind: "admin.logged-in", by: "user:ada", from: "192.0.2.1" }]);
  const [record] = readUsers(file);
  writeFileSync(file, JSON.stringify([{ ...record, role: "reader" }]));
  assert.equal(logins.callerOf(token)?.role, "reader");
  clock.dateMs = (login?.expiresAtMs ?? 0) + 61_000;
  assert.equal(logins.callerOf(token), undefined);
  clock.dateMs = startMs;
  assert.ok(logins.callerOf(token), "a clock that went back brings it back, and no further than its end");
  removeUser(file, "ada");
  assert.equal(logins.callerOf(token), undefined);
  clock.dateMs += 5;
  await add("ada", "admin");
  assert.equal(logins.callerOf(token), undefined, "another one by that name");
});

test("neither a wrong name nor a wrong password gets in, and nobody learns which it was", async (t) => {
  const { add, logIn, lines } = rig(t);
  await add("ada");
  for (const [name, tried] of [
    ["ada", "wrong password"],
    ["bob", password],
    ["__proto__", password],
  ] as const) {
    assert.equal(await logIn(name, tried), undefined);
  }
  assert.equal(lines.length, 3);
});

test("guessing ends for the name and for the address, and begins again with time", async (t) => {
  const { add, logIn, clock } = rig(t, { failuresPerMinuteMax: 3 });
  await add("ada");
  for (let address = 0; address < 3; address++) await logIn("ada", "a wrong guess", `192.0.2.${address}`);
  await assert.rejects(logIn("ada", password, "192.0.2.9"), { code: "admin/too-many-requests" });
  for (const name of ["bob", "carol", "dave"]) await logIn(name, "a wrong guess", "192.0.2.50");
  await assert.rejects(logIn("erin", password, "192.0.2.50"), { code: "admin/too-many-requests" });
  clock.monotonicMs += 20_000;
  assert.ok(await logIn("ada", password, "192.0.2.9"));
});

test("many that log in at a time are refused, not queued, and the right ones do not spend the budget", async (t) => {
  const { add, logIn } = rig(t);
  await add("ada");
  const all = await Promise.allSettled(Array.from({ length: 5 }, () => logIn("ada")));
  const codes = all.map((one) => (one.status === "fulfilled" ? "in" : one.reason.code));
  assert.deepEqual(codes.toSorted(), [...Array(3).fill("admin/too-many-requests"), "in", "in"]);
  for (let time = 0; time < 10; time++) assert.ok(await logIn("ada"));
});

test("a token that was signed by somebody else, or for nobody, is nobody's", async (t) => {
  const { add, logins, file } = rig(t);
  await add("ada", "admin");
  const claims = { sub: "ada", made: readUsers(file)[0]?.createdAt, exp: startMs / 1_000 + 600 };
  assert.equal(logins.callerOf(signJwt(claims, new Uint8Array(32))), undefined);
  const other = rig(t);
  await other.add("ada");
  const login = await other.logIn("ada");
  assert.equal(logins.callerOf(login?.token ?? ""), undefined, "of another run");
});

test("the file of users is its owner's alone, and one that is damaged lets nobody in", async (t) => {
  const { add, file, logIn } = rig(t);
  await add("ada");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(file, "utf8").includes(password));
  await assert.rejects(add("ada"), { code: "admin/user-exists" });
  const [record] = readUsers(file);
  for (const text of ["{", "{}", JSON.stringify([{ ...record, role: "root" }]), '[{"name":"ada"}]']) {
    writeFileSync(file, text);
    await assert.rejects(logIn("ada"), { code: "admin/access-file-damaged" });
  }
});
