/** A Signal K plugin in AssemblyScript, compiled from its text as its author would, for tests. */

import assert from "node:assert/strict";
import asc from "assemblyscript/asc";

export async function compiledPlugin(source: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["guest.ts", "--exportRuntime", "--outFile", "guest.wasm"], {
    readFile: (name) => (name === "guest.ts" ? source : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = contents;
    },
  });
  assert.ok(binary !== undefined, `${error} ${stderr}`);
  return binary;
}
