/** A module with a function that never ends, and one that does nothing. */

const section = (id: number, ...content: number[]) => [id, content.length, ...content];
const name = (text: string) => [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];

/** `(module (func (export "spin") (loop (br 0))) (func (export "idle")))` */
export const looping = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 1, 0x60, 0, 0),
  ...section(3, 2, 0, 0),
  ...section(7, 2, ...name("spin"), 0, 0, ...name("idle"), 0, 1),
  ...section(10, 2, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 2, 0, 0x0b),
);
