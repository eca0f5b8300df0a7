/**
 * Reads a file that somebody named, whole. A device and a pipe may have no end, or nobody who writes: unless they are meant,
 * they are none. Nor is a file believed about its length, which is 0 for many that the system makes up. What is wrong is a
 * value: each layer has its own words for it.
 */

/** What reading needs of a file that is open, as a `FileHandle` of Node has it. */
export interface OpenFile {
  stat(): Promise<{ readonly size: number; isFile(): boolean; isDirectory(): boolean }>;
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: null,
  ): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

/** What there was to read: `special` is a device, a pipe or a socket; `code` is the operating system's, as `ENOENT`. */
export type Reading =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | { readonly kind: "too-large" }
  | { readonly kind: "special" }
  | { readonly kind: "refused"; readonly code: string; readonly cause: Error };

/**
 * @param open   Opens it for reading, and where it must not be special without waiting for whoever writes to a pipe.
 * @param special `allowed` reads what is no file as well, as far as it goes
 */
export async function readBounded(
  open: () => Promise<OpenFile>,
  bytesMax: number,
  special: "allowed" | "refused" = "refused",
): Promise<Reading> {
  try {
    const file = await open();
    try {
      const found = await file.stat();
      // A folder is refused by the file system itself, when it is read.
      const isSpecial = !found.isFile() && !found.isDirectory();
      if (isSpecial && special === "refused") return { kind: "special" };
      if (found.size > bytesMax) return { kind: "too-large" };
      return await readUpTo(file, found.size, bytesMax);
    } finally {
      await file.close();
    }
  } catch (cause) {
    // Of the operating system; our own mistakes stay what they are.
    if (!(cause instanceof Error && "errno" in cause && "code" in cause)) throw cause;
    return { kind: "refused", code: String(cause.code), cause };
  }
}

async function readUpTo(file: OpenFile, sizeBytes: number, bytesMax: number): Promise<Reading> {
  // One byte more than there should be, so that the end shows.
  let bytes = new Uint8Array(sizeBytes + 1);
  for (let length = 0; ; ) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
    if (bytesRead === 0) return { kind: "whole", bytes: bytes.subarray(0, length) };
    length += bytesRead;
    if (length > bytesMax) return { kind: "too-large" };
    if (length < bytes.length) continue;
    const larger = new Uint8Array(Math.min(Math.max(2 * length, 65_536), bytesMax + 1));
    larger.set(bytes);
    bytes = larger;
  }
}
