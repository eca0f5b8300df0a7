/** What a guest's effects cost: a file through preview 1, beside what others offer, and the gate before each. */

import type { Figures } from "./main.ts";
import { fileFigures } from "./sandbox/files.ts";
import { gateFigures } from "./sandbox/gate.ts";

export async function run(): Promise<Figures> {
  return { ...(await fileFigures()), ...(await gateFigures()) };
}
