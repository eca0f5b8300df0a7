/** A coded error as the program tells it. */

import type { RemoraError } from "remora/base";
import { harmless } from "remora/policy";

/** A message can quote what a stranger wrote. */
const messageLineMax = 2_000;

/** The code and the message, whose own lines stay lines: that of a manifest has one a problem. */
export function errorText({ code, message }: RemoraError): string {
  const lines = message.split("\n").map((line) => harmless(line, messageLineMax));
  return `${code}: ${lines.join("\n")}\n`;
}
