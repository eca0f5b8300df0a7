/**
 * Signal K plugins that are components, in WebAssembly text, for tests: one that serves `/echo/:part`, and two endpoints that
 * wait for the network, by the world's own interface and by `wasi:http`; and what others like it are made of.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { componentEmbed, componentNew, parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { parseWit, printPackages } from "remora/component";

const worldFolder = join(import.meta.dirname, "../../../../worlds/signalk/0.1.0");

/** As much of the interfaces as this guest uses. */
const wasi = `
package wasi:io@0.2.3 { interface poll { resource pollable { block: func(); } } }
package wasi:http@0.2.3 {
  interface types {
    use wasi:io/poll@0.2.3.{pollable};
    variant error-code { internal-error(option<string>) }
    variant scheme { HTTP, HTTPS, other(string) }
    resource fields { constructor(); }
    resource request-options { constructor(); }
    resource outgoing-request {
      constructor(headers: fields);
      set-scheme: func(scheme: option<scheme>) -> result;
      set-authority: func(authority: option<string>) -> result;
    }
    resource incoming-response { status: func() -> u16; }
    resource future-incoming-response {
      subscribe: func() -> pollable;
      get: func() -> option<result<result<incoming-response, error-code>>>;
    }
  }
  interface outgoing-handler {
    use types.{outgoing-request, request-options, future-incoming-response, error-code};
    handle: func(request: outgoing-request, options: option<request-options>) -> result<future-incoming-response, error-code>;
  }
}
`;

export const i32s = (count: number) => "i32 ".repeat(count);

export interface WaitingGuest {
  /** Of the server that is asked: `127.0.0.1:8080`. */
  readonly authority: string;
  /** Default: only the world's own interface. */
  readonly importsWasi?: boolean;
}

/** A guest that serves endpoints. */
export interface ServingGuest {
  /** Of at most 16 characters each. */
  readonly paths: readonly string[];
  readonly imports: string;
  /** Its other functions. `$respond` makes a response: status, whether it is bytes, their address and length. */
  readonly functions: string;
  /** What its handler does with `$endpoint`, `$length`, `$path` and `$pathLength`; gives a response. */
  readonly handle: string;
}

/** Its name lies at 1024, "GET" at 1035; from 1200 to 4096 the memory is its own. */
function servingText({ paths, imports, functions, handle }: ServingGuest): string {
  const placeOf = (index: number) => 1040 + 16 * index;
  return `(module
  ${imports}
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 1024) "Waits  {}  GET")
  ${paths.map((path, index) => `(data (i32.const ${placeOf(index)}) "${path}")`).join(" ")}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 3))))
  (func $pair (param $at i32) (param $pointer i32) (param $length i32) (result i32)
    (i32.store (local.get $at) (local.get $pointer))
    (i32.store offset=4 (local.get $at) (local.get $length))
    (local.get $at))
  (func (export "remora:signalk/lifecycle@0.1.0#name") (result i32) (call $pair (i32.const 16) (i32.const 1024) (i32.const 5)))
  (func (export "remora:signalk/lifecycle@0.1.0#schema") (result i32) (call $pair (i32.const 16) (i32.const 1031) (i32.const 2)))
  (func (export "remora:signalk/lifecycle@0.1.0#start") (param i32 i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0)) (i32.const 16))
  (func (export "remora:signalk/lifecycle@0.1.0#stop"))
  (func $endpoint (param $at i32) (param $pointer i32) (param $length i32)
    (drop (call $pair (i32.add (local.get $at) (i32.const 4)) (local.get $pointer) (local.get $length))))
  (func (export "remora:signalk/endpoints@0.1.0#list-endpoints") (result i32)
    ${paths
      .map(
        (path, index) =>
          `(call $endpoint (i32.const ${100 + 12 * index}) (i32.const ${placeOf(index)}) (i32.const ${path.length}))`,
      )
      .join(" ")}
    (call $pair (i32.const 16) (i32.const 100) (i32.const ${paths.length})))
  (func $respond (param $status i32) (param $isBytes i32) (param $pointer i32) (param $length i32) (result i32)
    (i32.store (i32.const 200) (local.get $status))
    (i32.store (i32.const 208) (i32.const 0))
    (i32.store (i32.const 212) (local.get $isBytes))
    (drop (call $pair (i32.const 216) (local.get $pointer) (local.get $length)))
    (i32.const 200))
  ${functions}
  (func (export "remora:signalk/endpoints@0.1.0#handle") (param $method i32) (param $endpoint i32) (param $length i32)
    (param $path i32) (param $pathLength i32) (param ${i32s(9)}) (result i32)
    ${handle}))`;
}

function waiting({ authority, importsWasi = false }: WaitingGuest): ServingGuest {
  const url = `http://${authority}/asked`;
  return {
    paths: ["/echo/:part", "/own", "/wasi"],
    imports: `(import "remora:signalk/network@0.1.0" "fetch" (func $fetch (param ${i32s(10)})))
  ${importsWasi ? wasiImports : ""}`,
    functions: `(data (i32.const 1200) "${url}")
  (func $own (result i32)
    (call $fetch (i32.const 1035) (i32.const 3) (i32.const 1200) (i32.const ${url.length}) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 300))
    (if (i32.load8_u (i32.const 300))
      (then (return (call $respond (i32.const 500) (i32.const 0) (i32.load (i32.const 304)) (i32.load (i32.const 308))))))
    (call $respond (i32.load16_u (i32.const 304)) (i32.const 1) (i32.load (i32.const 316)) (i32.load (i32.const 320))))
  ${importsWasi ? askByWasi(authority) : "(func $wasi (result i32) unreachable)"}`,
    handle: `(if (i32.eq (local.get $length) (i32.const 4)) (then (return (call $own))))
    (if (i32.eq (local.get $length) (i32.const 5)) (then (return (call $wasi))))
    (call $respond (i32.const 201) (i32.const 0) (local.get $path) (local.get $pathLength))`,
  };
}

const http = (name: string) => `(import "wasi:http/types@0.2.3" "${name}"`;

const wasiImports = `
  ${http("[constructor]fields")} (func $fields (result i32)))
  ${http("[constructor]outgoing-request")} (func $request (param i32) (result i32)))
  ${http("[method]outgoing-request.set-scheme")} (func $scheme (param ${i32s(5)}) (result i32)))
  ${http("[method]outgoing-request.set-authority")} (func $authority (param ${i32s(4)}) (result i32)))
  ${http("[method]future-incoming-response.subscribe")} (func $subscribe (param i32) (result i32)))
  ${http("[method]future-incoming-response.get")} (func $get (param i32 i32)))
  ${http("[method]incoming-response.status")} (func $status (param i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.3" "handle" (func $handle (param ${i32s(4)})))
  (import "wasi:io/poll@0.2.3" "[method]pollable.block" (func $block (param i32)))`;

const askByWasi = (authority: string) => `
  (func $wasi (result i32) (local $request i32) (local $future i32)
    (local.set $request (call $request (call $fields)))
    (drop (call $scheme (local.get $request) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
    (drop (call $authority (local.get $request) (i32.const 1) (i32.const 1207) (i32.const ${authority.length})))
    (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 400))
    (if (i32.load8_u (i32.const 400)) (then unreachable))
    (local.set $future (i32.load (i32.const 404)))
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 400))
    (call $respond (call $status (i32.load (i32.const 412))) (i32.const 0) (i32.const 1024) (i32.const 5)))`;

export function waitingComponent(guest: WaitingGuest): Promise<Uint8Array> {
  return servingComponent(waiting(guest), {
    packages: wasi,
    imports: ["remora:signalk/network@0.1.0", "wasi:http/outgoing-handler@0.2.3"],
  });
}

/** @param wit Packages beside the world's own, and what of them and it the guest imports. */
export async function servingComponent(
  guest: ServingGuest,
  wit: { readonly packages: string; readonly imports: readonly string[] },
): Promise<Uint8Array> {
  const files = readdirSync(worldFolder).map((path) => ({
    path,
    text: readFileSync(join(worldFolder, path), "utf8"),
  }));
  const embedded = await componentEmbed({
    binary: await parse(servingText(guest)),
    witSource: `${printPackages([parseWit(files).root])}
${wit.packages}
package test:guest { world guest {
  include remora:signalk/plugin@0.1.0;
  ${wit.imports.map((each) => `import ${each};`).join(" ")}
  export remora:signalk/endpoints@0.1.0;
} }`,
    world: "test:guest/guest",
    stringEncoding: "utf8",
  });
  return componentNew(embedded);
}
