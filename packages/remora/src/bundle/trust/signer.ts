/** Who signs, in their own words: a name and an address that no key has confirmed. */

import { bundleErrors } from "../errors.ts";
import { signerBytesMax } from "../limits.ts";

export interface Signer {
  readonly name: string;
  /** Empty when there is none. */
  readonly email: string;
}

/** @throws bundle/bad-signer the name is empty, or a text is too long or has control characters */
export function checkSigner({ name, email }: Signer): Signer {
  for (const text of [name, email]) {
    const isLong = Buffer.byteLength(text) > signerBytesMax;
    if (isLong || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) || name.trim() === "") {
      const allowed = `a name, and a text of at most ${signerBytesMax} bytes without control characters`;
      throw bundleErrors["bad-signer"]({ found: text, allowed });
    }
  }
  return { name, email };
}
