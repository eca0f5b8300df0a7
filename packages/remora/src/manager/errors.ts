/**
 * What can go wrong in a plugin's life. The nine steps of an install have a code each; what really happened is the
 * `cause`, and its own code and sentence are in the details.
 */

import { defineErrors, type Fault, isRemoraError } from "../base/index.ts";
import { harmless } from "../policy/index.ts";
import type { State } from "./life/life.ts";
import type { Holder } from "./store/holder.ts";

/** What was asked for when a step failed. */
export type Doing =
  | "install"
  | "update"
  | "roll back"
  | "remove"
  | "enable"
  | "reload"
  | "change the settings of"
  | "change the grants of";

interface StepFailure {
  readonly doing: Doing;
  /** The plugin, as it was asked for or as its manifest calls it. */
  readonly plugin: string;
  /** Of the error that stopped the step; empty when it has none. */
  readonly code: string;
  readonly reason: string;
  /** Who has to act on that error. */
  readonly causeFault: Fault;
}

/** Whoever has to act on what stopped it has to act. */
const step = (number: number, name: string) => ({
  fault: (d: StepFailure) => d.causeFault,
  message: (d: StepFailure) =>
    `Cannot ${d.doing} ${harmless(d.plugin)}: step ${number} (${name}) failed: ${d.code === "" ? "" : `${d.code}: `}${d.reason}`,
});

export const managerErrors = defineErrors("manager", {
  // The nine steps.
  resolve: step(1, "resolve"),
  fetch: step(2, "fetch"),
  verify: step(3, "verify"),
  inspect: step(4, "inspect"),
  decide: step(5, "decide"),
  place: step(6, "place"),
  prepare: step(7, "prepare"),
  "hand-over": step(8, "hand over"),
  swap: step(9, "swap"),

  // What stops a step.
  "no-source": {
    fault: "operator",
    message: (d: { name: string; range: string; asked: readonly string[] }) =>
      `Cannot find ${harmless(d.name)} ${harmless(d.range)}: ${d.asked.length === 0 ? "it is no file here, and there is no source of bundles to ask; name a bundle by its path" : `asked ${d.asked.map((one) => harmless(one)).join(", ")}`}`,
  },
  "not-a-plugin": {
    fault: "operator",
    message: (d: { path: string; found: string }) =>
      `Cannot install "${harmless(d.path)}": found ${harmless(d.found)}, allowed are a bundle, a folder with remora.toml, and a name with a range as "geofence@^1.2.0"`,
  },
  "wrong-bundle": {
    fault: "publisher",
    message: (d: { expected: string; found: string }) =>
      `Cannot take the bundle: it is ${harmless(d.found)}, and ${harmless(d.expected)} was asked for`,
  },
  "too-large": {
    fault: "publisher",
    message: (d: { bytesMax: number }) =>
      `Cannot take the bundle: it has more than the ${d.bytesMax} bytes that are allowed`,
  },
  untrusted: {
    fault: "operator",
    message: (d: { trust: string; reason: string; rule: string }) =>
      `Cannot run what is ${harmless(d.trust)} (${harmless(d.reason, 400)}): the lowest level that runs here is "${d.rule}"`,
  },
  "no-host": {
    fault: "operator",
    message: (d: { host: string; version: string; near: readonly string[]; found: readonly string[] }) =>
      `Cannot run a plugin for "${harmless(d.host)}" ${harmless(d.version)}: here ${d.found.length === 1 ? "is" : "are"} ${d.found.join(", ") || "no host"}${d.near[0] === undefined ? "" : `; did you mean "${d.near[0]}"?`}`,
  },
  "no-world": {
    fault: "operator",
    message: (d: { host: string; wanted: readonly string[]; served: readonly string[] }) =>
      `Cannot run it in ${d.host}: it is for ${d.wanted.map((one) => harmless(one)).join(", ")}, and served are ${d.served.join(", ")}`,
  },
  "other-host": {
    fault: "operator",
    message: (d: { plugin: string; host: string; found: string }) =>
      `Cannot take this version of ${d.plugin}: it is for "${harmless(d.found)}", and the one that is installed for "${d.host}"`,
  },
  limits: {
    fault: "operator",
    message: (d: { limits: readonly { name: string; asked: number; allowed: number }[] }) =>
      `Cannot give it what it asks: ${d.limits.map(({ name, asked, allowed }) => `${name} ${asked}, allowed: ${allowed}`).join("; ")}`,
  },
  isolation: {
    fault: "operator",
    message: (d: { asked: string; available: readonly string[] }) =>
      `Cannot run it in the isolation "${d.asked}": available ${d.available.length === 1 ? "is" : "are"} ${d.available.join(", ")}`,
  },
  refused: {
    fault: "operator",
    message: (d: { plugin: string; version: string; by: string }) =>
      `Cannot take ${d.plugin} ${d.version}: ${harmless(d.by)} refused it`,
  },
  held: {
    fault: "operator",
    message: (d: { plugin: string; version: string; items: readonly string[]; neededBy?: string }) =>
      `Cannot run ${d.plugin} ${d.version} yet: it waits for consent to ${d.items.map((one) => harmless(one, 400)).join(", ")}${d.neededBy === undefined ? "" : `; ${d.neededBy} needs it, and comes after it`}`,
  },
  "other-publisher": {
    fault: "operator",
    message: (d: { plugin: string; version: string; from: string; to: string }) =>
      `Cannot take ${d.plugin} ${d.version}: it is ${harmless(d.to)}, the version that runs ${harmless(d.from)}, and nobody has accepted another publisher`,
  },
  "changed-meanwhile": {
    fault: "operator",
    message: (d: { plugin: string }) =>
      `Cannot go on with ${d.plugin}: it was changed by somebody else while this was decided; try again`,
  },
  dependency: {
    fault: "operator",
    message: (d: { plugin: string; needs: string; range: string; found: string }) =>
      `Cannot satisfy ${harmless(d.plugin)}: it needs ${harmless(d.needs)} ${harmless(d.range)}, and ${harmless(d.found)}`,
  },
  "dependency-cycle": {
    fault: "publisher",
    message: (d: { path: readonly string[] }) =>
      `Cannot install plugins that need each other: ${d.path.map((one) => harmless(one)).join(" needs ")}`,
  },
  "dependency-search": {
    fault: "publisher",
    message: (d: { plugin: string; triesMax: number }) =>
      `Cannot find the plugins that ${harmless(d.plugin)} needs: ${d.triesMax} versions were tried, and their ranges fit in none`,
  },
  interface: {
    fault: "publisher",
    message: (d: { plugin: string; needs: string; name: string; function: string; problem: string }) =>
      `Cannot link ${d.plugin} with ${d.needs}: of "${harmless(d.name)}" it imports "${harmless(d.function)}": ${d.problem}`,
  },
  "needed-by": {
    fault: "operator",
    message: (d: { plugin: string; by: readonly string[]; what: string }) =>
      `Cannot ${d.what} ${d.plugin}: ${d.by.join(", ")} ${d.by.length === 1 ? "needs" : "need"} it`,
  },
  "unmet-needs": {
    fault: "operator",
    message: (d: { what: string; plugin: string; needs: readonly { name: string; found: string }[] }) =>
      `Cannot ${d.what} ${d.plugin}: it needs ${d.needs.map(({ name, found }) => `${harmless(name)}, which is ${found}`).join(", and ")}`,
  },
  unhealthy: {
    fault: "guest",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot use ${d.plugin}: it says that it is not healthy: ${harmless(d.reason, 400)}`,
  },
  "settings-refused": {
    fault: "operator",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot give ${d.plugin} its settings: ${harmless(d.reason, 400)}`,
  },
  state: {
    fault: "guest",
    message: (d: { plugin: string; what: string; reason: string }) =>
      `Cannot ${d.what} the state of ${d.plugin}: ${harmless(d.reason, 400)}`,
  },

  // Settings and secrets.
  settings: {
    fault: "operator",
    message: (d: { plugin: string; problems: readonly { path: string; message: string }[] }) =>
      `Cannot use these settings for ${d.plugin}: ${d.problems.map(({ path, message }) => `${path === "" ? "" : `${harmless(path)}: `}${harmless(message)}`).join("; ")}`,
  },
  "no-secret": {
    fault: "operator",
    message: (d: { plugin: string; secret: string }) =>
      `Cannot set up ${d.plugin}: its settings name the secret "${harmless(d.secret)}", and the program that runs it has none of that name`,
  },
  "secret-source": {
    fault: "operator",
    message: (d: { plugin: string; secret: string }) =>
      `Cannot set up ${d.plugin}: its settings name the secret "${harmless(d.secret)}", and the source of secrets failed when it was asked`,
  },

  // The folder.
  folder: {
    fault: "operator",
    message: (d: { doing: string; path: string; reason: string }) =>
      `Cannot ${d.doing} "${d.path}": ${d.reason}${meanings[d.reason] ?? ""}`,
  },
  "folder-held": {
    fault: "operator",
    message: (d: { folder: string; holder: Holder | undefined }) =>
      `Cannot open "${d.folder}": ${d.holder === undefined ? "another manager holds it" : `${harmless(d.holder.who)} on ${harmless(d.holder.machine)} holds it since ${harmless(d.holder.since)}`}`,
  },
  "store-damaged": {
    fault: "operator",
    message: (d: { path: string; found: string }) =>
      `Cannot use "${d.path}": found ${d.found}; it was changed or removed from outside, and installing the plugin again brings it back`,
  },
  "entry-damaged": {
    fault: "operator",
    message: (d: { path: string; problem: string }) =>
      `Cannot read "${d.path}": ${harmless(d.problem)}; put back a copy, or remove it to forget the plugin`,
  },

  "entry-too-large": {
    fault: "operator",
    message: (d: { plugin: string; bytes: number; bytesMax: number }) =>
      `Cannot keep what there is of ${d.plugin}: ${d.bytes} bytes, allowed: ${d.bytesMax}; shorter settings, or fewer versions (policy.versionsKept), make it less`,
  },

  "audit-busy": {
    fault: "operator",
    message: (d: { questionsMax: number }) =>
      `Cannot read the audit trail yet: ${d.questionsMax} questions to it are not answered; ask again later`,
  },
  "audit-unreadable": {
    fault: "operator",
    message: (d: { where: string; reason: string }) =>
      `Cannot read the audit trail "${d.where}": ${d.reason}${meanings[d.reason] ?? ""}`,
  },
  "audit-unwritable": {
    fault: "operator",
    message: (d: { where: string; reason: string }) =>
      `Cannot write the audit trail "${d.where}": ${d.reason}; what cannot be audited does not happen`,
  },

  // Questions and calls.
  "no-such-plugin": {
    fault: "operator",
    message: (d: { name: string; near: readonly string[]; here: readonly string[] }) =>
      `Cannot find the plugin "${harmless(d.name)}"${d.near[0] === undefined ? hereText(d.here) : `; did you mean "${d.near[0]}"?`}`,
  },
  "no-such-version": {
    fault: "operator",
    message: (d: { plugin: string; version: string; kept: readonly string[] }) =>
      `Cannot roll ${d.plugin} back to ${harmless(d.version)}: kept ${d.kept.length === 1 ? "is" : "are"} ${d.kept.join(", ") || "none"}`,
  },
  "ambiguous-version": {
    fault: "operator",
    message: (d: { plugin: string; version: string; found: readonly string[] }) =>
      `Cannot roll ${d.plugin} back to ${harmless(d.version)}: several publishers have one of that number; name its digest: ${d.found.map((one) => harmless(one, 200)).join(", ")}`,
  },
  "no-such-consent": {
    fault: "operator",
    message: (d: { plugin: string }) =>
      `Cannot answer for ${harmless(d.plugin)}: nothing of it waits for consent`,
  },
  "held-changed": {
    fault: "operator",
    message: (d: { plugin: string; version: string; digest: string }) =>
      `Cannot answer for ${harmless(d.plugin)}: what waits now is not what was shown; it is ${harmless(d.version)} with the digest ${d.digest}; look at what it wants, and answer again`,
  },
  "not-lasting": {
    fault: "operator",
    message: (d: { plugin: string; taken: string; code: string; reason: string }) =>
      `Cannot make it last that ${harmless(d.taken, 500)} was taken from ${d.plugin}: ${d.code}: ${d.reason}; it is gone, and the next power cut may bring it back`,
  },
  "stopped-without": {
    fault: "operator",
    message: (d: { plugin: string; taken: string; code: string; reason: string }) =>
      `Cannot run ${d.plugin} any more without ${harmless(d.taken, 500)}, which was taken from it: ${d.code}: ${d.reason}; give it back, or disable the plugin`,
  },
  denied: {
    fault: "operator",
    message: (d: { plugin: string; denied: readonly string[] }) =>
      `Cannot give ${d.plugin} what the policy denies: ${d.denied.map((one) => harmless(one, 400)).join(", ")}`,
  },
  "not-granted": {
    fault: "operator",
    message: (d: { plugin: string; wanted: string; has: readonly string[]; isOfPolicy: boolean }) =>
      `Cannot take ${harmless(d.wanted, 500)} from ${d.plugin}: it was not granted as such; granted ${d.has.length === 1 ? "is" : "are"} ${d.has.map((one) => harmless(one, 500)).join(", ") || "none"}${d.isOfPolicy ? "; what the policy gives, the policy can deny" : ""}`,
  },
  "not-running": {
    fault: "operator",
    message: (d: { plugin: string; state: State; why: string }) =>
      `Cannot call ${d.plugin}: it is ${d.state}${d.why === "" ? "" : `, after ${d.why}`}`,
  },
  "nothing-to-reload": {
    fault: "operator",
    message: (d: { plugin: string; why: string }) => `Cannot reload ${d.plugin}: ${d.why}`,
  },
  "not-inline": {
    fault: "operator",
    message: (d: { plugin: string; isolation: string }) =>
      d.isolation === "inline"
        ? `Cannot call ${d.plugin} at once: it imports an asynchronous host function, with which a call gives a promise`
        : `Cannot call ${d.plugin} on this thread: it runs in the isolation "${d.isolation}", where a call gives a promise`,
  },
  "call-failed": {
    fault: "platform",
    message: (d: { plugin: string; path: string; code: string }) =>
      `Cannot call "${harmless(d.path)}" of the plugin ${d.plugin}: ${d.code}`,
  },
  "too-many-waiting": {
    fault: "operator",
    message: (d: { plugin: string; waitingMax: number }) =>
      `Cannot call ${d.plugin}: ${d.waitingMax} calls wait already`,
  },
  "failed-behind": {
    fault: "guest",
    message: (d: { plugin: string; code: string }) =>
      `A guest of ${d.plugin} failed behind the result of its call: ${d.code}`,
  },
  "no-patterns": {
    fault: "guest",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot ask ${d.plugin} what it wants to hear: ${harmless(d.reason)}`,
  },
  "bad-pattern": {
    fault: "guest",
    message: (d: { plugin: string; pattern: string; starsMax: number }) =>
      `Cannot let ${d.plugin} hear "${harmless(d.pattern)}": allowed are patterns of 1 to 256 characters, without control characters and with ${d.starsMax} "*" at most`,
  },
  "too-many-patterns": {
    fault: "guest",
    message: (d: { plugin: string; pattern: string; more: number; subscriptionsMax: number }) =>
      `Cannot let ${d.plugin} hear "${harmless(d.pattern)}"${d.more === 0 ? "" : ` and ${d.more} more`}: it has the ${d.subscriptionsMax} subscriptions that are allowed`,
  },
  unexpected: {
    fault: "platform",
    message: (d: { plugin: string; reason: string }) =>
      `Cannot go on with ${d.plugin}: ${harmless(d.reason, 400)}; that is no failure of the plugin, but of the program that runs it`,
  },
  closed: {
    fault: "platform",
    message: (d: { folder: string }) => `Cannot use the manager of "${d.folder}": it is closed`,
  },
});

/** What the operating system's names say. */
const meanings: Readonly<Record<string, string>> = {
  ENOSPC: ", the disk is full",
  EDQUOT: ", the quota of the disk is used up",
  EROFS: ", it is read-only",
  ENOENT: ", there is no such file or folder",
  EACCES: ", the user of this program may not; give it the right, or name another path",
  EPERM: ", the user of this program may not; give it the right, or name another path",
  EEXIST: ", a file stands where a folder is wanted; name another path",
  ENOTDIR: ", a file stands where a folder is wanted; name another path",
  EISDIR: ", a folder stands where a file is wanted",
  EMFILE: ", this program has too many files open",
};

export const stepNames = [
  "resolve",
  "fetch",
  "verify",
  "inspect",
  "decide",
  "place",
  "prepare",
  "hand-over",
  "swap",
] as const;
export type StepName = (typeof stepNames)[number];

/** Runs one step; whatever stops it becomes the one error that names the step. */
export async function inStep<Result>(
  name: StepName,
  plugin: string,
  act: () => Result | Promise<Result>,
  doing: Doing = "install",
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw stepFailed(name, plugin, error, doing);
  }
}

export function stepFailed(name: StepName, plugin: string, error: unknown, doing: Doing = "install"): Error {
  // Our own mistakes stay what they are.
  if (!isRemoraError(error)) return error instanceof Error ? error : new Error(String(error));
  // A dependency that failed has named its step already.
  if (stepNames.some((each) => error.code === `manager/${each}`)) return error;
  const { code, message, fault } = error;
  return managerErrors[name]({ doing, plugin, code, reason: message, causeFault: fault }, error);
}

/** An update is carried out as an install: its failures say what was asked for. Those of plugins that it needs stay theirs. */
export async function doingAs<Result>(
  doing: Doing,
  plugin: string,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const step = stepNames.find((name) => isRemoraError(error, `manager/${name}`));
    if (step === undefined || !isRemoraError(error)) throw error;
    const failure = error.details as unknown as StepFailure; // as the rows of the steps have it
    if (failure.plugin !== plugin || failure.doing !== "install") throw error;
    throw managerErrors[step]({ ...failure, doing }, error.cause);
  }
}

/** A few names, for whoever remembers none: a message is one line. */
const hereMax = 5;

function hereText(names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > hereMax ? ` and ${names.length - hereMax} more` : "";
  return `; here ${names.length === 1 ? "is" : "are"} ${names.slice(0, hereMax).join(", ")}${more}`;
}
