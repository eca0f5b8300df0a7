/** `wasi:logging/logging`: lines with a level and a context. https://github.com/WebAssembly/wasi-logging, draft. */

import type { LogLevel } from "../machine/log.ts";
import type { Machine } from "../machine/machine.ts";

export function logging(machine: Machine) {
  const { gate, log } = machine.shared;
  return {
    log: gate.guard(
      "log.write",
      (level: LogLevel, context: string, message: string) =>
        log.line("log", level, context === "" ? message : `${context}: ${message}`),
      () => undefined,
    ),
  };
}
