/** What the manager can fail at. */

import { defineErrors } from "../base/index.ts";

export const managerErrors = defineErrors("manager", {
  "audit-unwritable": {
    fault: "operator",
    message: (d: { where: string; reason: string }) =>
      `Cannot write the audit trail "${d.where}": ${d.reason}; what cannot be audited does not happen`,
  },
});
