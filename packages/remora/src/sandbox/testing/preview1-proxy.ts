/**
 * A guest that imports all of preview 1 and exports each function again under its name: tests call through real
 * WebAssembly, with its number types, down to the bytes.
 */

/** Parameters by function: i for i32, I for i64; every result is an i32, except that of proc_exit. */
export const signatures: Readonly<Record<string, string>> = {
  args_get: "ii",
  args_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "iIi",
  environ_get: "ii",
  environ_sizes_get: "ii",
  fd_advise: "iIIi",
  fd_allocate: "iII",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "iII",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "iI",
  fd_filestat_set_times: "iIIi",
  fd_pread: "iiiIi",
  fd_prestat_dir_name: "iii",
  fd_prestat_get: "ii",
  fd_pwrite: "iiiIi",
  fd_read: "iiii",
  fd_readdir: "iiiIi",
  fd_renumber: "ii",
  fd_seek: "iIii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiiIIi",
  path_link: "iiiiiii",
  path_open: "iiiiiIIii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
};

export function proxyText(): string {
  const names = Object.keys(signatures);
  const type = (name: string): string => {
    const params = [...(signatures[name] ?? "")].map((letter) => (letter === "i" ? " i32" : " i64")).join("");
    return `(param${params})${name === "proc_exit" ? "" : " (result i32)"}`;
  };
  const imports = names.map(
    (name) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type(name)}))`,
  );
  const functions = names.map((name) => {
    const gets = [...(signatures[name] ?? "")].map((_, index) => `local.get ${index}`).join(" ");
    return `(func (export "${name}") ${type(name)} ${gets} call $${name})`;
  });
  return `(module ${imports.join("\n")} (memory (export "memory") 2 4) ${functions.join("\n")})`;
}
