/**
 * What turns a line of an instrument into deltas. The decoders are Signal K's own packages; they are large, and a
 * signalk-server has them, so they are not installed with this host but used where they are.
 */

import { isRemoraError } from "remora/base";
import { checkDelta, type Delta, isRecord } from "../delta/delta.ts";
import { signalkErrors } from "../errors.ts";

export interface Decoder {
  /**
   * @param line Without its end.
   * @returns    What it says; undefined for nothing, or for something that cannot be understood
   */
  decode(line: string): Delta | undefined;
}

export type DecoderName = "nmea0183" | "n2k";

/** @throws signalk/no-decoder its package is not installed here */
export function openDecoder(name: DecoderName): Promise<Decoder> {
  return name === "nmea0183" ? nmea0183() : n2k();
}

interface SentenceParser {
  parse(sentence: string): unknown;
}

/** NMEA 0183: lines like `$SDDPT,2.4,0.5*52`. */
async function nmea0183(): Promise<Decoder> {
  const found = await load("@signalk/nmea0183-signalk");
  // Its default export is the class, or the module with the class in it: it is CommonJS.
  const Parser = (
    isRecord(found.default) ? found.default.default : found.default
  ) as new () => SentenceParser;
  const parser = new Parser();
  return { decode: (line) => understood(() => parser.parse(line)) };
}

interface PgnParser {
  parseString(line: string): unknown;
}
interface DeltaMapper {
  toDelta(pgn: unknown): unknown;
}

/** NMEA 2000: lines of canboat's `analyzer -json -si -camel`, or as the gateways write them. */
async function n2k(): Promise<Decoder> {
  const canboat = await load("@canboat/canboatjs");
  const mapping = await load("@signalk/n2k-signalk");
  const { FromPgn } = named<{ FromPgn: new (options: object) => PgnParser }>(canboat);
  const { N2kMapper } = named<{ N2kMapper: new (options: object) => DeltaMapper }>(mapping);
  const parser = new FromPgn({});
  const mapper = new N2kMapper({});
  return {
    decode: (line) =>
      understood(() => {
        const pgn = line.startsWith("{") ? JSON.parse(line) : parser.parseString(line);
        return pgn === undefined || pgn === null ? undefined : mapper.toDelta(pgn);
      }),
  };
}

/** CommonJS modules have their names in the default export, or beside it. */
function named<Names>(found: Record<string, unknown>): Names {
  // As its documentation says; what is not there fails when it is used, which `load` cannot know.
  return (isRecord(found.default) ? { ...found, ...found.default } : found) as Names;
}

async function load(name: string): Promise<Record<string, unknown>> {
  try {
    const found: unknown = await import(name);
    return isRecord(found) ? found : {};
  } catch (cause) {
    throw signalkErrors["no-decoder"]({ package: name }, cause);
  }
}

/** Instruments and wires make mistakes: a line that nobody understands is left out. */
function understood(decode: () => unknown): Delta | undefined {
  try {
    const found = decode();
    return found === undefined || found === null ? undefined : checkDelta(found);
  } catch (error) {
    if (isRemoraError(error) || error instanceof Error) return undefined;
    throw error;
  }
}
