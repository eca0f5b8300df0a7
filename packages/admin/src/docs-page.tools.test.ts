/** The page at `/docs` as an operator uses it, in a real browser; where there is none, the test says so. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundleOf } from "../../test-bundle.ts";
import { adminRig, guests, temporary } from "./testing/admin-rig.ts";
import { openPage } from "./testing/browser.ts";

const upload = "#operations-plugins-post_v1_bundles";

test("an admin installs a plugin by the page's form for a bundle's file", { timeout: 120_000 }, async (t) => {
  const { admin, manager, tokens } = await adminRig(t);
  const file = join(temporary(t), "adder.bundle");
  writeFileSync(file, await bundleOf(guests.adds(1)));
  const page = await openPage(t, `${admin.address}/docs`);
  if (page === undefined) {
    t.skip("there is no chromium here");
    return;
  }
  await page.click(".auth-wrapper .authorize");
  await page.type(".auth-container input", tokens.admin);
  await page.click(".auth-btn-wrapper .authorize");
  await page.click(".close-modal");
  await page.click(`${upload} .opblock-summary-control`);
  await page.click(`${upload} .try-out__btn`);
  await page.chooseFile(`${upload} input[type=file]`, file);
  await page.click(`${upload} .execute`);
  const status = await page.text(`${upload} .live-responses-table .response .response-col_status`);
  assert.match(status, /^200/);
  assert.equal(manager.info("adder").state, "running");
});
