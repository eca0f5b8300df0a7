// Marks each event that passes: adds an element to its detail that says when, by the host's clock. TAK clients keep
// elements that they do not know.

import { currentTimeMs, fail, lastIndexOf, replaceRange, TransformerMetadata } from "remora/tak";

export function transform(event: Uint8Array): Uint8Array {
  const mark = `<__remora seenMs="${currentTimeMs()}"/>`;

  const detailEnd = lastIndexOf(event, "</detail>");
  if (detailEnd >= 0) return replaceRange(event, detailEnd, detailEnd, mark);

  // An empty detail element, or none at all.
  const detail = `<detail>${mark}</detail>`;
  const empty = lastIndexOf(event, "<detail/>");
  if (empty >= 0) return replaceRange(event, empty, empty + "<detail/>".length, detail);
  const eventEnd = lastIndexOf(event, "</event>");
  if (eventEnd >= 0) return replaceRange(event, eventEnd, eventEnd, detail);
  return fail("no end of an event element");
}

/** Everything that stands for something in the world: atoms, as opposed to chat, drawings and requests. */
export function canTransform(cotType: string): bool {
  return cotType.startsWith("a-");
}

export function getMetadata(): TransformerMetadata {
  return {
    id: "add-detail-transformer",
    name: "Add detail",
    version: "0.1.0",
    author: "The Remora authors",
    description: "Adds an element to the detail that says when the event was seen",
    supportedTypes: ["a-*"],
  };
}
