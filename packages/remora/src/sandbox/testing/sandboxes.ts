/** Sandboxes for tests: a guest that is only memory, an audit and a log that can be read, and a clock that is moved. */

import assert from "node:assert/strict";
import { isRemoraError, type RemoraError } from "../../base/index.ts";
import { type AuditLog, auditLog } from "../audit.ts";
import type { Guest } from "../guest.ts";
import type { LogLine } from "../machine/log.ts";
import {
  type InstanceImports,
  type Sandbox,
  type SandboxOptions,
  sandboxImports,
} from "../sandbox-imports.ts";

export interface TestSandbox {
  readonly sandbox: Sandbox;
  readonly instance: InstanceImports;
  readonly audit: AuditLog;
  readonly lines: LogLine[];
  readonly bytes: Uint8Array;
}

/** 2025-01-01T00:00:00Z. */
export const testNowMs = 1_735_689_600_000;

/** A sandbox with one instance, whose abort throws the error. */
export function testSandbox(options: Partial<SandboxOptions> = {}): TestSandbox {
  const audit = auditLog();
  const lines: LogLine[] = [];
  const bytes = new Uint8Array(65_536);
  const sandbox = sandboxImports({
    plugin: "test",
    grants: [],
    audit,
    log: { write: (line) => void lines.push(line) },
    nowMs: () => testNowMs,
    ...options,
  });
  return { sandbox, instance: sandbox.forInstance(guestOf(bytes)), audit, lines, bytes };
}

export function guestOf(bytes: Uint8Array): Guest {
  return {
    memory: { view: () => bytes },
    abort: (error) => {
      throw error;
    },
  };
}

/** The host object of an interface, of which a test knows the shape. */
export function interfaceOf<Shape>(instance: InstanceImports, name: string): Shape {
  const found = instance.component(name);
  assert.ok(found !== undefined, name);
  return found as Shape; // the test names the shape
}

/** That the call ends the instance with this error. */
export function expectEnded(code: string, call: () => unknown): RemoraError {
  try {
    call();
  } catch (error) {
    assert.ok(isRemoraError(error), String(error));
    assert.equal(error.code, code);
    return error;
  }
  assert.fail(`expected ${code}`);
}
