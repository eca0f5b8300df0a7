/** Reads server-sent events (HTML Living Standard §9.2.6) as far as our own interface writes them: one line of JSON each. */

import type { Happening } from "./operations.ts";

export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncIterable<Happening> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block
        .split("\n")
        .filter((line) => line.startsWith("data: "))
        .map((line) => line.slice(6));
      // Comments have none. What has is printed by our own interface.
      if (data.length > 0) yield JSON.parse(data.join("\n")) as Happening;
    }
  }
}
