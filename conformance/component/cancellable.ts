/**
 * The suite's text has `cancellable` on builtins that wait, and the tool that turns text into binary no longer knows the
 * word. It is taken out of the text, and its flag is set in the binary.
 */

import { type Component, decodeComponent } from "remora/component";

const builtins =
  /\(\s*canon\s+(waitable-set\.wait|waitable-set\.poll|thread\.(?:yield|suspend)[a-z-]*)(\s+cancellable)?/g;

/** Binary of a component's text, by a tool that does not know `cancellable`. */
export async function parseCancellable(
  text: string,
  parse: (text: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const flags = [...text.matchAll(builtins)].map(([, , flag]) => flag !== undefined);
  if (!flags.includes(true)) return parse(text);
  const bytes = await parse(text.replace(builtins, (_, name: string) => `(canon ${name}`));
  const offsets = flaggedBuiltins(decodeComponent(bytes));
  // Binary.md: the flag is the byte behind the builtin's own.
  offsets.forEach((offset, index) => {
    if (flags[index] === true) bytes[offset + 1] = 1;
  });
  return bytes;
}

/** Where the builtins that have such a flag stand, in the order of the text. */
function flaggedBuiltins(component: Component): number[] {
  return component.definitions.flatMap((definition) => {
    if (definition.kind === "component") return flaggedBuiltins(definition.component);
    if (definition.kind !== "canon" || definition.body.kind !== "builtin") return [];
    return /^(waitable-set\.(wait|poll)|thread\.(yield|suspend))/.test(definition.body.name)
      ? [definition.offset]
      : [];
  });
}
