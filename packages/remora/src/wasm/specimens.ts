/**
 * V8 drops the code that it has made for the objects of a class when two collections in a row find none of them. A module
 * that comes some minutes after the last would then be read and rewritten three to four times slower, as the very first one
 * is. So there is always a reader and a writer, and the objects that rewrote the last module stay until the next, unless that
 * module was large.
 */
const specimens = new Map<string, object>();

/** Bytes of code from which on the objects would take more memory than they are worth. */
const codeBytesMax = 256 * 1_024;

export function keepSpecimen(specimen: object, codeBytes = 0): void {
  if (codeBytes <= codeBytesMax) specimens.set(specimen.constructor.name, specimen);
}
