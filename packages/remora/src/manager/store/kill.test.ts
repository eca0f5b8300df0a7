/** A real process, really killed. The faults at every single operation are in `faults.test.ts`. */

import { test } from "node:test";
import { expectSurvived } from "../testing/kill-rounds.test.ts";

/** Each starts a process, which takes most of the time; a hundred of them are in `kill.tools.test.ts`. */
const kills = 20;

test("a process that is killed with SIGKILL while it changes plugins leaves a folder that the next one opens", (t) =>
  expectSurvived(t, kills));
