/** Guests whose calls are cancelled while they wait, each of which takes it otherwise. */

import { decodeComponent } from "../../component/index.ts";
import { calledBack, componentOf, type Guest, memory } from "./async-guests.test.ts";

// Each waits for an answer of the host that does not come, and is asked to stop meanwhile. What it does then:
const waiting: Guest = {
  uses: ["return", "cancel", "set-new", "join", "subtask-cancel", "subtask-drop"],
  imports: '(import "ask" (func $ask-host async (param "of" u32) (result u32)))',
  hostImports: {
    ask: { core: "(param i32 i32) (result i32)", canon: `lower (func $ask-host) async ${memory}` },
    "set-wait": {
      core: "(param i32 i32) (result i32)",
      canon: `waitable-set.wait ${memory}`,
    },
  },
  code: `
    (global $subtask (mut i32) (i32.const 0))
    (global $set (mut i32) (i32.const 0))
    (global $told (mut i32) (i32.const 0))
    (func $wait (result i32)
      (global.set $set (call $set-new))
      (global.set $subtask (i32.shr_u (call $ask (i32.const 1) (i32.const 16)) (i32.const 4)))
      (call $join (global.get $subtask) (global.get $set))
      (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))
    (func $let-go
      (call $join (global.get $subtask) (i32.const 0))
      (global.set $told (call $subtask-cancel (global.get $subtask)))
      (call $subtask-drop (global.get $subtask)))
    (func (export "agrees") (result i32) (call $wait))
    (func (export "agrees-back") (param $event i32) (param i32 i32) (result i32)
      (if (i32.ne (local.get $event) (i32.const 6)) (then (unreachable)))
      (call $let-go)
      (call $cancel)
      (i32.const 0))
    (func (export "answers") (result i32) (call $wait))
    (func (export "answers-back") (param i32 i32 i32) (result i32)
      (call $let-go)
      (call $return (i32.const 9))
      (i32.const 0))
    (func (export "ignores") (result i32) (call $wait))
    (func (export "ignores-back") (param i32 i32 i32) (result i32)
      (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))
    (func (export "spins") (result i32) (i32.const 1))
    (func (export "spins-back") (param i32 i32 i32) (result i32) (i32.const 1))
    (func (export "steps") (result i32) (i32.const 1))
    (func (export "steps-back") (param $event i32) (param i32 i32) (result i32)
      (if (i32.ne (local.get $event) (i32.const 6)) (then (return (i32.const 1))))
      (call $cancel)
      (i32.const 0))
    (func (export "stackful")
      (drop (call $wait))
      (if (i32.ne (call $set-wait (global.get $set) (i32.const 24)) (i32.const 6)) (then (unreachable)))
      (call $let-go)
      (call $cancel))
    (func (export "told") (result i32) (global.get $told))`,
  exports: `
    ${["agrees", "answers", "ignores", "spins", "steps"].map((name) => calledBack(name, "(result u32)")).join("\n")}
    (func (export "stackful") async (result u32) (canon lift (core func $i "stackful") async ${memory}))
    (func (export "told") (result u32) (canon lift (core func $i "told")))`,
};

export interface Waiting {
  agrees(): Promise<number>;
  answers(): Promise<number>;
  ignores(): Promise<number>;
  spins(): Promise<number>;
  steps(): Promise<number>;
  stackful(): Promise<number>;
  told(): number;
}

export const waitingBytes = withCancellableWait(await componentOf(waiting));
/** CanonicalABI.md, "Subtask.State". */
export const cancelledBeforeReturned = 4;

/** Sets the flag `cancellable` (Binary.md, "canon"): the tool that makes the binary has no word for it. */
function withCancellableWait(bytes: Uint8Array): Uint8Array {
  for (const definition of decodeComponent(bytes).definitions) {
    if (definition.kind !== "canon" || definition.body.kind !== "builtin") continue;
    if (definition.body.name === "waitable-set.wait") bytes[definition.offset + 1] = 1;
  }
  return bytes;
}
