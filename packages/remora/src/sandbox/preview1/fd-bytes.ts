/** The functions that move bytes through a descriptor, and the place where they do. */

import { FsError } from "../fs/errno.ts";
import { type Implementation, type Preview1, u64ToNumber } from "./call.ts";
import type { Descriptor, FileDescriptor, InputDescriptor } from "./descriptors.ts";
import { fdflags, rights, sizes, whence } from "./layout.ts";

/** Buffers of one read or write, as POSIX's IOV_MAX. */
const iovecsMax = 1_024;

/** Bytes of output that one write takes: each may end a line. */
const outputBytesMax = 256 * 1024;

export function byteFunctions({ machine, bytes, descriptors }: Preview1): Record<string, Implementation> {
  const { transferBytesMax } = machine.shared.limits;
  return {
    fd_pread: (fd: number, iovecs: number, count: number, offset: bigint, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdRead");
      bytes.setU32(result, readInto(iovecs, count, u64ToNumber(offset), descriptor));
    },
    fd_pwrite: (fd: number, iovecs: number, count: number, offset: bigint, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdWrite");
      const at = (descriptor.flags & fdflags.append) === 0 ? u64ToNumber(offset) : endOf(descriptor);
      bytes.setU32(result, writeFrom(iovecs, count, at, descriptor));
    },
    fd_read: (fd: number, iovecs: number, count: number, result: number) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "input") return readInput({ iovecs, count, result }, descriptor);
      const file = readable(descriptor);
      descriptors.get(fd, "fdRead");
      const read = readInto(iovecs, count, file.offset, file);
      bytes.setU32(result, read);
      file.offset += read;
      return undefined;
    },
    fd_seek: (fd: number, offset: bigint, from: number, result: number) => {
      const descriptor = seekable(fd);
      const isTelling = from === whence.cur && offset === 0n;
      if (!isTelling || (descriptor.base & rights.fdTell) === 0n) descriptors.get(fd, "fdSeek");
      descriptor.offset = soughtOf(descriptor, offset, from);
      bytes.setU64(result, BigInt(descriptor.offset));
    },
    fd_tell: (fd: number, result: number) => {
      const descriptor = seekable(fd);
      descriptors.get(fd, "fdTell");
      bytes.setU64(result, BigInt(descriptor.offset));
    },
    fd_write: (fd: number, iovecs: number, count: number, result: number) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "output") {
        bytes.setU32(
          result,
          transfer(iovecs, count, (part, done) => {
            const taken = part.subarray(0, Math.max(outputBytesMax - done, 0));
            descriptor.stream.write(taken);
            return taken.length;
          }),
        );
        return;
      }
      const file = readable(descriptor);
      descriptors.get(fd, "fdWrite");
      if ((file.flags & fdflags.append) !== 0) file.offset = endOf(file);
      const written = writeFrom(iovecs, count, file.offset, file);
      bytes.setU32(result, written);
      file.offset += written;
    },
  };

  function seekable(fd: number): FileDescriptor {
    const descriptor = descriptors.get(fd);
    if (descriptor.kind === "file") return descriptor;
    throw new FsError(descriptor.kind === "folder" ? "badf" : "spipe");
  }

  function readable(descriptor: Descriptor): FileDescriptor {
    if (descriptor.kind === "file") return descriptor;
    throw new FsError(descriptor.kind === "folder" ? "isdir" : "badf");
  }

  /** Calls with each buffer in turn until one is not filled; the sum of a transfer is bounded. */
  function transfer(iovecs: number, count: number, each: (part: Uint8Array, done: number) => number): number {
    if (count >>> 0 > iovecsMax) throw new FsError("inval");
    // All must lie in memory before anything is done.
    const parts = Array.from({ length: count >>> 0 }, (_, index) => {
      const at = (iovecs >>> 0) + index * sizes.iovec;
      return bytes.slice(bytes.u32(at), bytes.u32(at + 4));
    });
    let done = 0;
    for (const part of parts) {
      if (part.length === 0) continue;
      const part1 = part.subarray(0, transferBytesMax - done);
      const moved = each(part1, done);
      done += moved;
      if (moved < part.length) break;
    }
    return done;
  }

  function readInto(iovecs: number, count: number, at: number, descriptor: FileDescriptor): number {
    return transfer(iovecs, count, (part, done) => {
      const read = descriptor.handle.read(part, at + done);
      bytes.wrote(part, read);
      return read;
    });
  }

  function writeFrom(iovecs: number, count: number, at: number, descriptor: FileDescriptor): number {
    if (!descriptor.handle.canWrite) throw new FsError("badf");
    const written = transfer(iovecs, count, (part, done) => {
      try {
        return descriptor.handle.write(part, at + done);
      } catch (error) {
        // What was written before is told first; the error comes with the next call.
        if (done > 0 && error instanceof FsError) return 0;
        throw error;
      }
    });
    if ((descriptor.flags & (fdflags.dsync | fdflags.rsync | fdflags.sync)) !== 0) descriptor.handle.sync();
    return written;
  }

  /** Reads what there is, or waits until there is something. */
  function readInput(
    into: { iovecs: number; count: number; result: number },
    descriptor: InputDescriptor,
  ): Promise<unknown> | undefined {
    const { input, flags } = descriptor;
    if (input.isReady()) {
      const read = transfer(into.iovecs, into.count, (part) => {
        const from = input.read(part.length);
        if (from === "end") return 0;
        part.set(from);
        bytes.wrote(part, from.length);
        return from.length;
      });
      bytes.setU32(into.result, read);
      return undefined;
    }
    if ((flags & fdflags.nonblock) !== 0) throw new FsError("again");
    const waited = machine.wait("fd_read", [input.change], undefined);
    return waited === undefined
      ? readInput(into, descriptor)
      : waited.then(() => readInput(into, descriptor));
  }

  function endOf(descriptor: FileDescriptor): number {
    return Number(descriptor.handle.stat().sizeBytes);
  }

  function soughtOf(descriptor: FileDescriptor, offset: bigint, from: number): number {
    const bases = { [whence.set]: 0, [whence.cur]: descriptor.offset, [whence.end]: -1 };
    const base = bases[from as keyof typeof bases]; // undefined for any other number
    if (base === undefined) throw new FsError("inval");
    const sought = BigInt(base === -1 ? endOf(descriptor) : base) + offset;
    if (sought < 0n || sought > BigInt(Number.MAX_SAFE_INTEGER)) throw new FsError("inval");
    return Number(sought);
  }
}
