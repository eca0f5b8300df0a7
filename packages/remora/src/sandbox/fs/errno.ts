/**
 * The names of what can go wrong with a file, as one table: preview 1's number, preview 2's error code and the code
 * that Node gives. Numbers: WASI snapshot_preview1 `errno`; codes: wasi:filesystem/types 0.2 `error-code`.
 */

const rows = [
  // name, preview 1, preview 2, Node
  ["success", 0, undefined, undefined],
  ["2big", 1, undefined, "E2BIG"],
  ["acces", 2, "access", "EACCES"],
  ["addrinuse", 3, undefined, "EADDRINUSE"],
  ["addrnotavail", 4, undefined, "EADDRNOTAVAIL"],
  ["afnosupport", 5, undefined, "EAFNOSUPPORT"],
  ["again", 6, "would-block", "EAGAIN"],
  ["badf", 8, "bad-descriptor", "EBADF"],
  ["busy", 10, "busy", "EBUSY"],
  ["connrefused", 14, undefined, "ECONNREFUSED"],
  ["connreset", 15, undefined, "ECONNRESET"],
  ["dquot", 19, "quota", "EDQUOT"],
  ["exist", 20, "exist", "EEXIST"],
  ["fault", 21, undefined, "EFAULT"],
  ["fbig", 22, "file-too-large", "EFBIG"],
  ["ilseq", 25, "illegal-byte-sequence", "EILSEQ"],
  ["inval", 28, "invalid", "EINVAL"],
  ["io", 29, "io", "EIO"],
  ["isdir", 31, "is-directory", "EISDIR"],
  ["loop", 32, "loop", "ELOOP"],
  ["mfile", 33, "insufficient-memory", "EMFILE"],
  ["mlink", 34, "too-many-links", "EMLINK"],
  ["nametoolong", 37, "name-too-long", "ENAMETOOLONG"],
  ["nfile", 41, "insufficient-memory", "ENFILE"],
  ["nodev", 43, "no-device", "ENODEV"],
  ["noent", 44, "no-entry", "ENOENT"],
  ["nomem", 48, "insufficient-memory", "ENOMEM"],
  ["nospc", 51, "insufficient-space", "ENOSPC"],
  ["nosys", 52, "unsupported", "ENOSYS"],
  ["notdir", 54, "not-directory", "ENOTDIR"],
  ["notempty", 55, "not-empty", "ENOTEMPTY"],
  ["notsock", 57, undefined, "ENOTSOCK"],
  ["notsup", 58, "unsupported", "ENOTSUP"],
  ["notty", 59, "no-tty", "ENOTTY"],
  ["nxio", 60, "no-such-device", "ENXIO"],
  ["overflow", 61, "overflow", "EOVERFLOW"],
  ["perm", 63, "not-permitted", "EPERM"],
  ["pipe", 64, "pipe", "EPIPE"],
  ["range", 68, "overflow", "ERANGE"],
  ["rofs", 69, "read-only", "EROFS"],
  ["spipe", 70, "invalid-seek", "ESPIPE"],
  ["timedout", 73, undefined, "ETIMEDOUT"],
  ["txtbsy", 74, "text-file-busy", "ETXTBSY"],
  ["xdev", 75, "cross-device", "EXDEV"],
  ["notcapable", 76, "not-permitted", undefined],
] as const;

export type ErrnoName = (typeof rows)[number][0];

/** Preview 1's numbers. */
export const errno = Object.fromEntries(rows.map(([name, number]) => [name, number])) as Readonly<
  Record<ErrnoName, number> // built from all rows
>;

const preview2Codes = new Map<ErrnoName, string>(rows.map(([name, , code]) => [name, code ?? "io"]));
const nodeCodes = new Map<string | undefined, ErrnoName>(rows.map(([name, , , code]) => [code, name]));

/** An operation on files that failed in the guest's terms. It carries no path: the guest knows its own. */
export class FsError extends Error {
  readonly errno: ErrnoName;

  constructor(name: ErrnoName) {
    super(name);
    this.name = "FsError";
    this.errno = name;
  }

  /** The number of preview 1. */
  get number(): number {
    return errno[this.errno];
  }

  /** The code of preview 2. */
  get code(): string {
    return preview2Codes.get(this.errno) ?? "io";
  }
}

/** What Node threw, in the guest's terms; paths and other facts of the host stay behind. */
export function fsErrorOf(thrown: unknown): FsError {
  if (thrown instanceof FsError) return thrown;
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    return new FsError(nodeCodes.get(thrown.code) ?? "io");
  }
  throw thrown;
}
