// Adds an element to the detail of each event. TAK clients keep elements that they do not know. Change it to what your
// plugin is for.

import { fail, lastIndexOf, replaceRange, TransformerMetadata } from "remora/tak";

const mark = `<__my-plugin seen="true"/>`;

/** Gets an event as XML in UTF-8, and gives the one that goes on. */
export function transform(event: Uint8Array): Uint8Array {
  const detailEnd = lastIndexOf(event, "</detail>");
  if (detailEnd >= 0) return replaceRange(event, detailEnd, detailEnd, mark);
  const eventEnd = lastIndexOf(event, "</event>");
  if (eventEnd >= 0) return replaceRange(event, eventEnd, eventEnd, `<detail>${mark}</detail>`);
  return fail("no end of an event element");
}

/** Everything that stands for something in the world: atoms, as opposed to chat, drawings and requests. */
export function canTransform(cotType: string): bool {
  return cotType.startsWith("a-");
}

export function getMetadata(): TransformerMetadata {
  return {
    id: "my-plugin",
    name: "my-plugin",
    version: "0.1.0",
    author: "The authors of my-plugin",
    description: "Marks each event",
    supportedTypes: ["a-*"],
  };
}
