/**
 * The same asynchronous components, called with the same random values by the same host, through jco: what comes back is
 * the same. Guests that wait on a stack of their own are not among them: jco has only those that are called back.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import fc from "fast-check";
import { valuesOf, valueTypes } from "../component/testing/arbitrary.test.ts";
import { toPlain } from "../component/testing/reference-abi.test.ts";
import { asyncEchoGuest, isPlainWit, padded } from "../component/testing/wit-of.test.ts";
import { load } from "./load.ts";
import { type Asking, askingBytes } from "./testing/async-guests.test.ts";
import { type Piping, pipingBytes } from "./testing/called-back-guests.test.ts";
import { webAssembly } from "./webassembly.ts";

/** Makes instances by jco. */
async function jcoOf<Exports>(bytes: Uint8Array, asyncImports: readonly string[] = []) {
  const { files } = await transpileBytes(bytes, {
    name: "guest",
    instantiation: "async",
    asyncMode: "jspi",
    asyncExports: ["*"],
    asyncImports: [...asyncImports],
  });
  const source = Buffer.from(files["guest.js"] ?? new Uint8Array()).toString("base64");
  const { instantiate } = await import(`data:text/javascript;base64,${source}`);
  const compiled = (path: string) => new webAssembly.Module(files[path] ?? new Uint8Array());
  return (imports: object = {}): Promise<Exports> => instantiate(compiled, imports);
}

/** So that a run costs the same each time. */
const options = { numRuns: 25, seed: 20_260_101 };

/** A host that answers after so many turns of the event loop. */
async function after<Value>(turns: number, value: Value): Promise<Value> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  return value;
}

test("jco agrees on a guest that asks its host twice, whichever answer comes first", async () => {
  const theirs = await jcoOf<Asking>(askingBytes, ["ask"]);
  const delays = fc.tuple(fc.nat(3), fc.nat(3));
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000), delays, async (of, turns) => {
      const ask = (asked: number) => after(turns[asked - of] ?? 0, asked * 3);
      const ours = await load<Asking>(askingBytes, { imports: { ask } });
      const other = await theirs({ ask: { default: ask } });
      const sum = await ours.exports.both(of);
      assert.equal(sum, 6 * of + 3);
      assert.equal(await other.both(of), sum);
    }),
    options,
  );
});

const chunks = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 });

async function* given(list: readonly Uint8Array[], turns: number) {
  for (const chunk of list) yield await after(turns, chunk);
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of stream) bytes.push(...chunk);
  return bytes;
}

test("jco agrees on streams and futures, both ways", async () => {
  const theirs = await jcoOf<Piping>(pipingBytes);
  await fc.assert(
    fc.asyncProperty(chunks, fc.nat(20), fc.nat(2), async (list, count, turns) => {
      const { exports } = await load<Piping>(pipingBytes);
      const expected = list.flatMap((chunk) => Array.from(chunk)).reduce((sum, byte) => sum + byte, 0);
      // A fresh instance of jco's each time: the call after one that a stream or a future crossed in was seen to hang.
      for (const guest of [async () => exports, theirs]) {
        assert.equal(await (await guest()).await(after(turns, count)), count + 1);
        // jco's promise gives something that is to be waited for once more.
        assert.equal(await await (await guest()).promise(count), count);
        const counted = await (await guest()).count(count);
        assert.deepEqual(
          await bytesOf(counted),
          Array.from({ length: count }, (_, at) => at),
        );
        assert.equal(await (await guest()).sum(given(list, turns)), expected);
      }
    }),
    options,
  );
});

/** Each type costs jco some 300 ms. */
const types = fc.sample(
  valueTypes.filter(
    (type) => isPlainWit(type) && ["record", "variant", "list", "result"].includes(type.kind),
  ),
  { numRuns: 4, seed: options.seed },
);

interface Echo {
  readonly echo: { echo(value: unknown): Promise<unknown[]> };
}

for (const [index, type] of types.entries()) {
  test(`jco agrees on values of type ${index}, a ${type.kind}, that go through an asynchronous function`, async () => {
    const bytes = await asyncEchoGuest(type);
    const theirs = await jcoOf<Echo>(bytes);
    await fc.assert(
      fc.asyncProperty(valuesOf(type), async (value) => {
        const { exports } = await load<Echo>(bytes);
        const [mine] = await exports.echo.echo(padded(value));
        const [other] = await (await theirs()).echo.echo(padded(value));
        assert.deepEqual(toPlain(type, mine), toPlain(type, value));
        assert.deepEqual(other, mine);
      }),
      options,
    );
  });
}
