/** As `kill.test.ts`, for as long as it takes. */

import { test } from "node:test";
import { expectSurvived } from "../testing/kill-rounds.test.ts";

test("a hundred processes killed with SIGKILL, one after the other on one folder, leave it whole", (t) =>
  expectSurvived(t, 100));
