/** How large a bundle and its parts may be. The publisher chooses all of these sizes, so each has a bound. */

export interface BundleLimits {
  /** Bytes of the whole file, and of all files in it together when they are unpacked. */
  readonly bytesMax: number;
  /** Files in it. */
  readonly entriesMax: number;
}

export const defaultBundleLimits: BundleLimits = { bytesMax: 256 * 1024 * 1024, entriesMax: 256 };

/** A manifest is read as a whole, and every problem in it is told. */
export const manifestBytesMax = 64 * 1024;
export const readmeBytesMax = 1024 * 1024;
export const iconBytesMax = 256 * 1024;
/** Of an entry's name. */
export const nameLengthMax = 200;
/** Of the name and of the address that a signature carries, in bytes. */
export const signerBytesMax = 200;
