/** Bytes from which on it is worth a call. */
const bytesMin = 64 * 1_024;

/**
 * Gives the memory behind a view back at once, which is then empty, for what is large and was used for a moment: until it is
 * collected it is memory, and brings the next collection nearer.
 */
export function giveBack({ buffer }: ArrayBufferView<ArrayBuffer>): void {
  if (buffer.byteLength >= bytesMin) buffer.transfer(0);
}
