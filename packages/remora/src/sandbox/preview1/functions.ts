/**
 * `wasi_snapshot_preview1`: the table of its 46 functions, and what each takes to be linked. A function that is
 * linked without anything behind it (a path without a folder, a socket) answers with its errno.
 */

import { asyncHostFunction, slowHostFunction } from "../../component/index.ts";
import { readsGuestMemory } from "../../engine/index.ts";
import type { CapabilityName } from "../../policy/index.ts";
import type { Machine } from "../machine/machine.ts";
import { errnoOf, type Implementation, type Param, type Preview1 } from "./call.ts";
import { Descriptors } from "./descriptors.ts";
import { fdFunctions } from "./fd.ts";
import { byteFunctions } from "./fd-bytes.ts";
import { listingFunctions } from "./fd-listing.ts";
import { GuestBytes } from "./guest-bytes.ts";
import { memoryReads } from "./memory-reads.ts";
import { pathFunctions } from "./path.ts";
import { pollFunctions } from "./poll.ts";
import { programFunctions } from "./program.ts";

export const preview1Module = "wasi_snapshot_preview1";

/** The functions by name; all but these three are under `wasi.base`. */
const otherCapabilities: Readonly<Record<string, CapabilityName>> = {
  clock_res_get: "clock.read",
  clock_time_get: "clock.read",
  random_get: "random.read",
};

export const preview1Names: readonly string[] = [
  "args_get",
  "args_sizes_get",
  "clock_res_get",
  "clock_time_get",
  "environ_get",
  "environ_sizes_get",
  "fd_advise",
  "fd_allocate",
  "fd_close",
  "fd_datasync",
  "fd_fdstat_get",
  "fd_fdstat_set_flags",
  "fd_fdstat_set_rights",
  "fd_filestat_get",
  "fd_filestat_set_size",
  "fd_filestat_set_times",
  "fd_pread",
  "fd_prestat_dir_name",
  "fd_prestat_get",
  "fd_pwrite",
  "fd_read",
  "fd_readdir",
  "fd_renumber",
  "fd_seek",
  "fd_sync",
  "fd_tell",
  "fd_write",
  "path_create_directory",
  "path_filestat_get",
  "path_filestat_set_times",
  "path_link",
  "path_open",
  "path_readlink",
  "path_remove_directory",
  "path_rename",
  "path_symlink",
  "path_unlink_file",
  "poll_oneoff",
  "proc_exit",
  "proc_raise",
  "random_get",
  "sched_yield",
  "sock_accept",
  "sock_recv",
  "sock_send",
  "sock_shutdown",
];

export function preview1Capability(name: string): CapabilityName {
  return otherCapabilities[name] ?? "wasi.base";
}

/** An import of a core module: an errno, or a promise of one on which the engine must suspend the guest. */
export type CoreImport = (...params: Param[]) => number | Promise<number>;

/** The functions for one instance. */
export function preview1Functions(machine: Machine): Readonly<Record<string, CoreImport>> {
  const descriptors = new Descriptors(machine);
  machine.onClose(() => descriptors.closeAll());
  const preview1: Preview1 = { machine, bytes: new GuestBytes(machine.guest.memory), descriptors };
  const implementations: Record<string, Implementation> = {
    ...programFunctions(preview1),
    ...fdFunctions(preview1),
    ...byteFunctions(preview1),
    ...listingFunctions(preview1),
    ...pathFunctions(preview1),
    ...pollFunctions(preview1),
  };
  return Object.fromEntries(
    Object.entries(implementations).map(([name, implementation]) => {
      const imported = readsGuestMemory(withErrno(implementation), memoryReads[name] ?? []);
      if (mayWait(name, machine)) return [name, asyncHostFunction(imported)];
      // They read and write files: the guest's clock is looked at after them.
      return [name, /^(fd|path)_/.test(name) ? slowHostFunction(imported) : imported];
    }),
  );
}

/** What may give a promise; reading does only when its input comes by and by. */
function mayWait(name: string, { shared }: Machine): boolean {
  if (shared.waiting.suspends !== true) return false;
  return name === "poll_oneoff" || (name === "fd_read" && shared.isInputStream);
}

function withErrno(implementation: Implementation): CoreImport {
  return (...params) => {
    try {
      const answer = implementation(...params);
      return answer instanceof Promise ? answer.then(() => 0, errnoOf) : 0;
    } catch (thrown) {
      return errnoOf(thrown);
    }
  };
}
