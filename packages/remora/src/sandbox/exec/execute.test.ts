import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant } from "../../policy/index.ts";
import type { SandboxLimits } from "../limits.ts";
import { testSandbox } from "../testing/sandboxes.ts";
import type { ExecRequest } from "./execute.ts";

const node = process.execPath;

function programs(commands: readonly string[], limits: Partial<SandboxLimits> = {}) {
  const grants: Grant[] = [{ capability: "proc.exec", commands }];
  const { sandbox, audit } = testSandbox({ grants, limits });
  const run = (args: readonly string[], options: Partial<ExecRequest> = {}) =>
    sandbox.programs.run({ program: node, arguments: args, ...options });
  return { run, audit, sandbox };
}

const wordOf = (text: string) => text.replaceAll("%", "%25").replaceAll(" ", "%20");
const script = (code: string) => ({ command: `${node} -e ${wordOf(code)}`, args: ["-e", code] });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("a granted program runs, with its input, and tells its output and exit code", async () => {
  const { command, args } = script(
    "process.stdin.pipe(process.stdout); console.error('err'); process.exitCode = 3",
  );
  const { run, audit } = programs([command]);
  const outcome = await run(args, { input: new TextEncoder().encode("in put") });
  assert.ok(outcome.kind === "ended");
  assert.deepEqual([outcome.exitCode, text(outcome.stdout), text(outcome.stderr)], [3, "in put", "err\n"]);
  const [entry] = audit.entries();
  assert.deepEqual([entry?.capability, entry?.target], ["proc.exec", `${node} (2 arguments)`]);
});

test("the environment of the host is not the program's", async () => {
  const { command, args } = script("console.log(JSON.stringify(Object.keys(process.env)))");
  const outcome = await programs([command]).run(args);
  assert.ok(outcome.kind === "ended");
  const names: string[] = JSON.parse(text(outcome.stdout));
  assert.deepEqual(
    names.filter((name) => !name.startsWith("__CF")),
    [],
  );
});

test("a granted program that is not there, or cannot be, is an answer", async () => {
  const { sandbox } = programs(["/nowhere/program", `${node}/inside`, "/"]);
  for (const program of ["/nowhere/program", `${node}/inside`, "/"]) {
    const outcome = await sandbox.programs.run({ program, arguments: [] });
    assert.deepEqual(outcome, { kind: "refused", why: "not-found" }, program);
  }
  assert.equal(sandbox.programs.runningCount, 0);
});

test("what differs from the grant in a word, their number or the program is refused", async () => {
  const { run } = programs([`${node} --version`, `${node} --max-old-space-size=* --version`]);
  assert.equal((await run(["--version"])).kind, "ended");
  assert.equal((await run(["--max-old-space-size=50", "--version"])).kind, "ended");
  const denied = { kind: "refused", why: "denied" };
  for (const args of [
    [],
    ["--help"],
    ["--version", "-e"],
    ["--version -e"],
    ["--version%20"],
    ["--max-old-space-size=5", "-e"],
  ]) {
    assert.deepEqual(await run(args), denied, args.join());
  }
  for (const program of ["/bin/sh", "node", "./node", `${node}/../node`, `${node} `, `${node}\0`, ""]) {
    assert.deepEqual(await run(["--version"], { program }), denied, program);
  }
});

test("no shell looks at arguments", async () => {
  const { command } = script("console.log(process.argv[1])");
  const { run } = programs([`${command} *`]);
  for (const argument of [
    "; echo owned",
    "$(echo owned)",
    "`echo owned`",
    "&& echo owned",
    "| echo owned",
    "$HOME",
  ]) {
    const outcome = await run(["-e", "console.log(process.argv[1])", argument]);
    assert.ok(outcome.kind === "ended");
    assert.equal(text(outcome.stdout), `${argument}\n`);
  }
});

test("arguments, which can be secrets, are not in the audit", async () => {
  const { run, audit } = programs([`${node} --password=* --version`]);
  await run(["--password=hunter2", "--version"]);
  await run(["--token=hunter2"]);
  assert.ok(!JSON.stringify(audit.entries()).includes("hunter2"));
  assert.equal(audit.entries().length, 2);
});

test("time, output, input and number are bounded", async () => {
  const endless = script("setInterval(() => {}, 1000)");
  const loud = script("for (;;) process.stdout.write('x'.repeat(65536))");
  const limits = {
    execTimeMsMax: 200,
    execOutputBytesMax: 100_000,
    execInputBytesMax: 10,
    execPendingMax: 1,
  };
  const { run } = programs([endless.command, loud.command], limits);
  assert.deepEqual(await run(endless.args), { kind: "stopped", why: "time" });
  const generous = programs([loud.command], { ...limits, execTimeMsMax: 20_000 });
  assert.deepEqual(await generous.run(loud.args), { kind: "stopped", why: "output" });
  assert.deepEqual(await run(endless.args, { input: new Uint8Array(11) }), {
    kind: "refused",
    why: "too-large",
  });
  assert.deepEqual(await run(new Array(65).fill("x")), { kind: "refused", why: "too-large" });
  const [first, second] = [run(endless.args), run(endless.args)];
  assert.deepEqual(await second, { kind: "refused", why: "too-many" });
  assert.equal((await first).kind, "stopped");
});

test("a program that is not there is refused; one that runs is stopped with the sandbox", async () => {
  const { run } = programs(["/no/such/program"]);
  assert.deepEqual(await run([], { program: "/no/such/program" }), { kind: "refused", why: "not-found" });
  const endless = script("setInterval(() => {}, 1000)");
  const running = programs([endless.command]);
  const outcome = running.run(endless.args);
  running.sandbox.close();
  assert.deepEqual(await outcome, { kind: "stopped", why: "closed" });
});
