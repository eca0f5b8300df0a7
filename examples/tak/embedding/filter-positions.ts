/**
 * An application that lets a stranger's filter decide, in its smallest form: load, call, close. The types come from
 * the world, by `generateTypes`; the plugin reaches what `imports` has and nothing else.
 */

import { load } from "remora/engine";
import type { LazyFilter, LazyFilterImports, Messages } from "./lazy-filter.d.ts";

export interface Position {
  readonly lat: number;
  readonly lon: number;
}

/** The positions that a plugin of `remora:tak/lazy-filter` lets pass, and what it wrote to the log. */
export async function filterPositions(plugin: Uint8Array, positions: readonly Position[]) {
  const logged: string[] = [];
  const imports: LazyFilterImports = {
    "omnitak:plugin/host@0.1.0": {
      log: (level, message) => void logged.push(`${level}: ${message}`),
      getCurrentTimeMs: () => BigInt(Date.now()),
      queryElevation: () => undefined,
    },
    "remora:tak/messages@0.1.0": { Message: PositionMessage },
  };
  using instance = await load<LazyFilter>(plugin, {
    imports,
    limits: { fuelMax: 100_000, deadlineMs: 5 },
  });
  const { lazy } = instance.exports;
  const passed = positions.filter((position) => lazy.evaluate(new PositionMessage(position)) === "pass");
  return { passed, logged, description: lazy.describe() };
}

/** What the plugin sees of a position; each field is asked for by itself. */
class PositionMessage implements Messages.Message {
  readonly #position: Position;

  constructor(position: Position) {
    this.#position = position;
  }

  lat(): number {
    return this.#position.lat;
  }

  lon(): number {
    return this.#position.lon;
  }

  cotType(): string {
    return "a-u-G";
  }

  uid(): string {
    return "position";
  }

  how(): string {
    return "m-g";
  }

  time(): string {
    return new Date().toISOString();
  }

  timeMs(): bigint {
    return BigInt(Date.now());
  }

  staleMs(): bigint {
    return BigInt(Date.now() + 60_000);
  }

  // What a bare position does not have.
  hae(): undefined {}
  ce(): undefined {}
  le(): undefined {}
  callsign(): undefined {}
  group(): undefined {}
  team(): undefined {}
  xmlPayload(): undefined {}
}
