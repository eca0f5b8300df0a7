/** Why a scan of XML failed, as a coded error. Apart from the scanner, which makes none while it runs. */

import type { RemoraError } from "remora/base";
import { unreachable } from "remora/base";
import { takErrors } from "../errors.ts";
import type { XmlFailure } from "./xml-markup.ts";

/** @param base What to add to an offset, to name its place in the stream. */
export function xmlError(scanner: { readonly failure: XmlFailure | undefined }, base: number): RemoraError {
  const failure = scanner.failure ?? { kind: "malformed", found: "an end before that of the event", at: 0 };
  const at = base + failure.at;
  switch (failure.kind) {
    case "malformed":
      return takErrors["xml-malformed"]({ found: failure.found, at });
    case "doctype":
      return takErrors["xml-doctype"]({ at });
    case "entity":
      return takErrors["xml-entity"]({ at });
    case "nested-event":
      return takErrors["xml-nested-event"]({ at });
    case "limit":
      return takErrors["xml-limit"]({ what: failure.what, max: failure.max, at });
    default:
      return unreachable(failure);
  }
}
