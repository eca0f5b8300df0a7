/** Which features each profile takes. What is in neither the table of operators nor here is refused by the decoder. */

import { wasmErrors } from "../errors.ts";
import type { Feature, FeatureUse } from "../features.ts";
import type { ProfileName } from "./contract.ts";

/**
 * Why a feature is refused unless the operator allows it by name. Metering specification, section 7:
 * `shared-memory`: `memory.atomic.wait` on one blocks the thread, beyond any deadline;
 * `gc`: objects are on the JavaScript heap, which one guest can fill and so end the process;
 * `stored-exceptions`: so are exceptions, and where one can keep another there is no end to their number.
 */
const refusedByDefault: readonly Feature[] = ["shared-memory", "gc", "stored-exceptions"];

/** Whose results depend on the machine or on timing. */
const refusedByStrict: readonly Feature[] = [...refusedByDefault, "threads", "relaxed-simd"];

export const profiles: Readonly<Record<ProfileName, readonly Feature[]>> = {
  default: refusedByDefault,
  strict: refusedByStrict,
};

/** @throws wasm/refused-feature */
export function checkProfile(
  uses: ReadonlyMap<Feature, FeatureUse>,
  profile: ProfileName,
  allow: readonly string[],
): void {
  for (const feature of profiles[profile]) {
    const use = uses.get(feature);
    if (use === undefined || allow.includes(feature)) continue;
    throw wasmErrors["refused-feature"]({ offset: use.offset, feature, found: use.found, profile });
  }
}
