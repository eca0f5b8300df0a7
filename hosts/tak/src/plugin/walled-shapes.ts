/**
 * The shapes of TAK plugins behind a wall, on another thread or in another process: what is called is the same, and each
 * answer is a promise. Nothing of such a guest can be looked at, so its world says which shape it has.
 */

import { isRemoraError } from "remora/base";
import type { IsolatedInstance } from "remora/engine";
import type { CotMessage } from "../cot/message.ts";
import { takErrors } from "../errors.ts";
import { LentMessage } from "./lent-message.ts";
import {
  Columns,
  filterInterfaces,
  filterWorlds,
  Record,
  transformerInterface,
  verdictBytes,
} from "./shapes.ts";

/** A filter of any shape. */
export interface WalledFilterCalls {
  /** A byte for each message, not 0 to let it pass. */
  decideBatch(messages: readonly CotMessage[]): Promise<Uint8Array>;
}

export interface WalledTransformerCalls {
  canTransform(cotType: string): Promise<boolean>;
  transform(xml: Uint8Array): Promise<Uint8Array>;
}

interface Guest {
  /** Names the plugin in errors. */
  readonly id: string;
  readonly instance: IsolatedInstance;
}

/**
 * @param world One of `filterWorlds`, for which the guest was made.
 * @throws tak/plugin-shape it does not export what the world says
 */
export async function bindWalledFilter(
  guest: Guest,
  world: string,
  givesXml: boolean,
): Promise<WalledFilterCalls> {
  const decide = deciders[filterWorlds.indexOf(world)];
  if (decide === undefined) throw new Error(`Invariant broken: "${world}" is no world of filters`);
  const [name, decideBatch] = decide;
  await call(guest, name, "getMetadata");
  return { decideBatch: (messages) => decideBatch(guest, messages, givesXml) };
}

/** @throws tak/plugin-shape it does not export what the world says */
export async function bindWalledTransformer(guest: Guest): Promise<WalledTransformerCalls> {
  await call(guest, transformerInterface, "getMetadata");
  return {
    canTransform: async (cotType) =>
      (await call(guest, transformerInterface, "canTransform", cotType)) === true,
    async transform(xml) {
      const bytes = await call(guest, transformerInterface, "transform", xml);
      if (bytes instanceof Uint8Array) return bytes;
      throw takErrors["plugin-answer"]({ wanted: "a list of bytes", found: typeof bytes });
    },
  };
}

type Decide = (guest: Guest, messages: readonly CotMessage[], givesXml: boolean) => Promise<Uint8Array>;

/** In the order of `filterWorlds`. */
const deciders: readonly (readonly [name: string, decide: Decide])[] = [
  [filterInterfaces.lazy, decideLazily],
  [filterInterfaces.record, decideRecords],
  [filterInterfaces.columns, decideColumns],
  [filterInterfaces.batch, decideBatches],
];

/** One after the other: each field that the guest reads comes over the wall by itself. */
async function decideLazily(
  guest: Guest,
  messages: readonly CotMessage[],
  handsOutXml: boolean,
): Promise<Uint8Array> {
  const verdicts = [];
  for (const message of messages) {
    const lent = new LentMessage({ handsOutXml });
    lent.event = message;
    verdicts.push(await call(guest, filterInterfaces.lazy, "evaluate", lent));
  }
  return verdictBytes(verdicts, messages.length);
}

/** All in one crossing. */
async function decideRecords(
  { instance }: Guest,
  messages: readonly CotMessage[],
  givesXml: boolean,
): Promise<Uint8Array> {
  const calls = messages.map((message) => [new Record().fill(message, givesXml)]);
  const { results, failure } = await instance.callBatch([filterInterfaces.record, "evaluate"], calls);
  // Whoever asks again for each alone finds the one at fault.
  if (failure !== undefined) throw failure.error;
  return verdictBytes(results, messages.length);
}

async function decideColumns(guest: Guest, messages: readonly CotMessage[]): Promise<Uint8Array> {
  const positions = new Columns().fill(messages);
  const verdicts = await call(guest, filterInterfaces.columns, "evaluateColumns", positions);
  return verdictBytes(verdicts, messages.length);
}

async function decideBatches(
  guest: Guest,
  messages: readonly CotMessage[],
  givesXml: boolean,
): Promise<Uint8Array> {
  const records = messages.map((message) => new Record().fill(message, givesXml));
  return verdictBytes(await call(guest, filterInterfaces.batch, "evaluateBatch", records), messages.length);
}

async function call(
  { id, instance }: Guest,
  name: string,
  exported: string,
  ...args: readonly unknown[]
): Promise<unknown> {
  try {
    return (await instance.call([name, exported], args)).result;
  } catch (error) {
    if (!isRemoraError(error, "component/no-such-export")) throw error;
    throw takErrors["plugin-shape"]({
      plugin: id,
      wanted: [`${name}#${exported}`],
      found: ["no such function"],
    });
  }
}
