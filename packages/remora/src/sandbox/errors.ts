/**
 * The errors of the sandbox. Most refusals reach the guest in its own terms (an errno, an error result) and the
 * operator through the audit; these are for where a guest has no such terms, and for the operator's mistakes.
 */

import { defineErrors } from "../base/index.ts";
import { harmless } from "../policy/index.ts";

export const sandboxErrors = defineErrors("sandbox", {
  exited: {
    fault: "guest",
    message: (d: { plugin: string; exitCode: number }) =>
      `${d.plugin} ended itself with exit code ${d.exitCode}`,
  },
  denied: {
    fault: "operator",
    message: (d: { plugin: string; capability: string; target?: string; rule: string }) =>
      `Cannot let ${d.plugin} use ${d.capability}${d.target === undefined ? "" : ` on "${harmless(d.target)}"`}: ${d.rule}`,
  },
  "limit-exceeded": {
    fault: "guest",
    message: (d: { plugin: string; limit: string; max: number }) =>
      `Cannot let ${d.plugin} take more: ${d.limit} is ${d.max}`,
  },
  "cannot-wait": {
    fault: "operator",
    message: (d: { plugin: string; operation: string }) =>
      `Cannot let ${d.plugin} wait in "${d.operation}": its calls run on the caller's thread, which must not block; choose an isolation that can wait`,
  },
  "no-folder": {
    fault: "operator",
    message: (d: { folder: string; found: string }) =>
      `Cannot open the folder "${d.folder}": found ${d.found}, expected an existing folder that is no symbolic link`,
  },
  "unpermitted-write": {
    fault: "guest",
    message: (d: { plugin: string; bytes: number; permitted: number }) =>
      `Cannot let ${d.plugin} write ${d.bytes} bytes at once: ${d.permitted} are permitted`,
  },
});
