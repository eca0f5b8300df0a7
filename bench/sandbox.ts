/**
 * What a guest's effects cost, a file through preview 1 beside what others offer and the gate before each; how long one
 * operation on the disk holds the host; and what the walls between guest and host cost.
 */

import type { Figures } from "./main.ts";
import { diskFigures } from "./sandbox/disk.ts";
import { fileFigures } from "./sandbox/files.ts";
import { gateFigures } from "./sandbox/gate.ts";
import { isolationFigures } from "./sandbox/isolation.ts";

export async function run(): Promise<Figures> {
  return {
    ...(await fileFigures()),
    ...(await diskFigures()),
    ...(await gateFigures()),
    ...(await isolationFigures()),
  };
}
