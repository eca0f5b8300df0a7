/**
 * Rewrites a module so that it meters itself: section 4 of the metering specification. The engine has V8 validate
 * the original first; without that an index beyond the end could mean something that is appended here.
 */

import { finish, type Steps } from "../../base/index.ts";
import { decodeModule, findSection } from "../decode.ts";
import { wasmErrors } from "../errors.ts";
import { type Feature, noteValueType, scanFeatures, scanSections } from "../features.ts";
import { type IndexSpaces, importsOf, indexSpaces } from "../index-spaces.ts";
import { defaultDecodeLimits } from "../limits.ts";
import type { Module } from "../module.ts";
import { operators } from "../opcodes.ts";
import { analyse } from "./analyse.ts";
import { Helpers, makeAppendix, names } from "./appendix.ts";
import { assembleSections, lengthOf } from "./assemble-sections.ts";
import { capSegments, capTags, sumOfMins } from "./caps.ts";
import { checkIndices } from "./check-indices.ts";
import { type MeteredModule, type MeterOptions, reservedPrefix } from "./contract.ts";
import { emitBodies } from "./emit.ts";
import { exportedFunctions, markReferenced } from "./exposed.ts";
import type { Facts } from "./facts.ts";
import type { IntList } from "./int-list.ts";
import { makePlan } from "./plan.ts";
import { checkProfile, profiles } from "./profile.ts";
import { rewriteSections } from "./rewrite-sections.ts";
import { capDefined, memoryFacts, tableFacts } from "./sizes.ts";

/**
 * Rewrites a module.
 *
 * @param original A module that V8 finds valid. Not changed; the result does not refer to it.
 * @returns The module that meters itself, and what the meter needs to know of it.
 * @throws wasm/refused-feature the profile does not take it; wasm/over-cap it starts larger than allowed;
 *         wasm/reserved-name it uses our names; and what `decodeModule` throws
 */
export function meterModule(original: Uint8Array, options: MeterOptions): MeteredModule {
  return finish(meterSteps(original, options));
}

/** As `meterModule`, in steps, between which `original` must not change. */
export function meterSteps(
  original: Uint8Array,
  options: MeterOptions,
  onRead?: () => void,
): Steps<MeteredModule> {
  return rewriteSteps(original, options, { onRead });
}

/** As `meterModule`; `pieces` receives where each copied piece of code went, from the first body on. */
export function rewriteModule(original: Uint8Array, options: MeterOptions, pieces?: IntList): MeteredModule {
  return finish(rewriteSteps(original, options, { pieces }));
}

function* rewriteSteps(
  original: Uint8Array,
  options: MeterOptions,
  { pieces, onRead }: { readonly pieces?: IntList | undefined; readonly onRead?: (() => void) | undefined },
): Steps<MeteredModule> {
  const limits = options.sizes ?? defaultDecodeLimits;
  const source = withoutSubclass(original);
  const module = decodeModule(source, limits);
  const spaces = indexSpaces(module);
  refuseReservedNames(module);
  checkIndices(module, spaces);
  capSegments(module, options.tableElementsMax);
  capTags(spaces, limits.tagParameters);
  const memories = capDefined(
    spaces.memories,
    spaces.imported.memories,
    options.memoryPagesMax,
    "pages of memory",
  );
  const tableSizes = spaces.tables.map((table) => table.limits);
  const tables = capDefined(tableSizes, spaces.imported.tables, options.tableElementsMax, "table elements");

  const helpers = new Helpers();
  yield;
  const facts = yield* analyseModule(module, spaces, options, helpers);
  onRead?.();
  const start = findSection(module, "start")?.items;
  const plan = makePlan({
    facts,
    isExported: exportedFunctions(module, spaces.functions.length, start),
    mode: options.mode,
    stack: options.stack,
  });
  const appendix = makeAppendix({
    spaces,
    dataSizes: findSection(module, "data")?.items.map(({ bytes }) => bytes.length) ?? [],
    elementCounts: findSection(module, "element")?.items.map(({ elements }) => elements.length) ?? [],
    helpers: helpers.list,
    hasStack: plan.hasStack,
    sharesCounters: options.sharesCounters ?? false,
    start,
    pages: Math.max(0, options.memoryPagesMax - Number(sumOfMins(memories.defined))),
    elements: Math.max(0, options.tableElementsMax - Number(sumOfMins(tables.defined))),
  });
  const { appended } = appendix;
  yield;
  const emitted = yield* emitBodies({
    bytes: source,
    facts,
    plan,
    spaces,
    appended,
    isStrict: options.profile === "strict",
    ...(pieces === undefined ? {} : { pieces }),
  });
  const contents = rewriteSections({ module, appendix, emitted, memories, tables });
  const bytes = assembleSections(module, contents, emitted, appendix.move.by > 0);
  const codeBytes = { before: codeSize(module), after: lengthOf(contents.get("code") ?? []) };
  facts.release();
  emitted.release();
  const exported = new Set(appendix.exports.map(({ name }) => name));
  const optional = (name: string) => (exported.has(name) ? name : undefined);
  return {
    bytes,
    injected: withoutUndefined({
      swapFuel: names.swapFuel,
      refill: names.refill,
      stack: optional(names.stack),
      start: optional(names.start),
      pages: optional(names.pages),
      elements: optional(names.elements),
    }),
    memories: memoryFacts(module, memories),
    tables: tableFacts(module, tables),
    memoryPagesMin: Number(sumOfMins(memories.defined)),
    tableElementsMin: Number(sumOfMins(tables.defined)),
    stackSlotsUncounted: options.stack ? plan.stackSlotsUncounted : 0,
    compileWork: facts.compileWork,
    codeBytes,
  };
}

/** The same bytes: V8's code for arrays of one class is faster than for those and Node's `Buffer` in turn. */
function withoutSubclass(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refuseReservedNames(module: Module): void {
  const refuse = (kind: string, name: string) => {
    if (name.startsWith(reservedPrefix)) {
      throw wasmErrors["reserved-name"]({ kind, name, prefix: reservedPrefix });
    }
  };
  for (const item of importsOf(module)) {
    refuse("import", item.module);
    refuse("import", item.name);
  }
  for (const item of findSection(module, "export")?.items ?? []) refuse("export", item.name);
}

function* analyseModule(
  module: Module,
  spaces: IndexSpaces,
  options: MeterOptions,
  helpers: Helpers,
): Steps<Facts> {
  const limits = options.sizes ?? defaultDecodeLimits;
  const uses = scanSections(module, spaces);
  const input = {
    bytes: module.bytes,
    bodies: findSection(module, "code")?.items ?? [],
    spaces,
    limits,
    firstMovedGlobal: options.sharesCounters === true ? spaces.imported.globals : Number.POSITIVE_INFINITY,
    helper: (operator: number, first: number, second: number) => helpers.id(operator, first, second),
    seeLocalType: (type: Parameters<typeof noteValueType>[1], offset: number) =>
      noteValueType(uses, type, offset),
  };
  let facts = yield* analyse({ ...input, isExceptionExact: spaces.tags.length > 0 });
  // Exceptions without a tag of one's own, as `catch_all` alone, are rare: look again, call by call.
  if (facts.usesExceptions && spaces.tags.length === 0) {
    facts.release();
    facts = yield* analyse({ ...input, isExceptionExact: true });
  }
  const refused = new Set<Feature>(profiles[options.profile]);
  const allow = options.allow ?? [];
  const isRefused = operators.some(
    (operator, index) =>
      operator !== undefined &&
      facts.seen[index] === 1 &&
      refused.has(operator.feature) &&
      !allow.includes(operator.feature),
  );
  // The slow scan says where; only a refusal needs it.
  checkProfile(isRefused ? scanFeatures(module, limits) : uses, options.profile, allow);
  markReferenced(module, facts.isReferenced);
  return facts;
}

function codeSize(module: Module): number {
  const source = findSection(module, "code")?.source;
  return source === undefined ? 0 : source.end - source.contentStart;
}

/** `exactOptionalPropertyTypes`: an absent name is an absent key. */
function withoutUndefined(injected: Record<string, string | undefined>): MeteredModule["injected"] {
  const entries = Object.entries(injected).filter(([, name]) => name !== undefined);
  // The required names are never undefined: `meterModule` gives them.
  return Object.fromEntries(entries) as unknown as MeteredModule["injected"];
}
