/**
 * Heights for the guests' `query-elevation`, out of a folder of SRTM tiles. A query reads two short runs of
 * an open file and nothing else, so that a guest can neither fill the host's memory by asking all over the
 * world nor hold it up for longer than two small reads.
 *
 * A tile `N52E004.hgt` is named after its south-west corner and holds a square of big-endian 16-bit metres,
 * north row first, 1 or 3 arc seconds apart; neighbouring tiles share their edges.
 */

import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { takErrors } from "../errors.ts";

/** Where heights come from; undefined where nothing is known. */
export interface ElevationSource {
  /** Metres above the geoid at a position in degrees, interpolated between the four samples around it. */
  at(lat: number, lon: number): number | undefined;
  close(): void;
}

/** For hosts without terrain data: every answer is "not known". */
export const noElevation: ElevationSource = { at: () => undefined, close: () => {} };

interface Tile {
  readonly file: number;
  /** Samples in a row, and rows. */
  readonly side: number;
}

/** 3 and 1 arc seconds: a degree has 1200 or 3600 steps, and both edges have samples. */
const tileSides = [1201, 3601];
const tileName = /^([NS])(\d{2})([EW])(\d{3})\.hgt$/i;
/** The height that stands for "no data". */
const voidHeight = -32_768;
/** Open files; the whole world has 14,277 tiles of land. */
const tilesMax = 1_024;

/**
 * Opens all tiles of a folder.
 *
 * @throws tak/elevation the folder cannot be read, has no tile, has too many, or one of an unknown size
 */
export function openElevation(folder: string): ElevationSource {
  const tiles = new Map<number, Tile>();
  const close = () => {
    for (const tile of tiles.values()) closeSync(tile.file);
    tiles.clear();
  };
  try {
    for (const name of listTiles(folder)) tiles.set(tileKeyOf(name), openTile(join(folder, name)));
  } catch (error) {
    close();
    throw error;
  }
  const row = Buffer.alloc(4);
  return {
    at: (lat, lon) => heightAt(tiles, row, lat, lon),
    close,
  };
}

function listTiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => tileName.test(name));
  } catch (cause) {
    throw takErrors.elevation({ path: folder, problem: "the folder cannot be read" }, cause);
  }
  if (names.length === 0) throw takErrors.elevation({ path: folder, problem: "no tile like N52E004.hgt" });
  if (names.length > tilesMax) {
    throw takErrors.elevation({
      path: folder,
      problem: `${names.length} tiles; at most ${tilesMax} are opened`,
    });
  }
  return names;
}

function openTile(path: string): Tile {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  const side = tileSides.find((candidate) => candidate * candidate * 2 === size);
  if (side === undefined) {
    closeSync(file);
    throw takErrors.elevation({ path, problem: `${size} bytes; a tile has 2,884,802 or 25,934,402` });
  }
  return { file, side };
}

/** One number for a whole degree of latitude and longitude. */
function tileKey(latFloor: number, lonFloor: number): number {
  return (latFloor + 90) * 361 + (lonFloor + 180);
}

function tileKeyOf(name: string): number {
  const [, northSouth = "", lat = "", eastWest = "", lon = ""] = tileName.exec(name) ?? [];
  return tileKey(
    Number(lat) * (northSouth.toUpperCase() === "S" ? -1 : 1),
    Number(lon) * (eastWest.toUpperCase() === "W" ? -1 : 1),
  );
}

// The guest chooses both numbers: NaN and infinities fail the first comparison.
function heightAt(
  tiles: ReadonlyMap<number, Tile>,
  row: Buffer,
  lat: number,
  lon: number,
): number | undefined {
  if (!(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180)) return undefined;
  const latFloor = Math.floor(lat);
  const lonFloor = Math.floor(lon);
  const tile = tiles.get(tileKey(latFloor, lonFloor));
  if (tile === undefined) return undefined;

  const steps = tile.side - 1;
  const x = (lon - lonFloor) * steps;
  const y = (1 - (lat - latFloor)) * steps;
  const column = Math.min(Math.floor(x), steps - 1);
  const line = Math.min(Math.floor(y), steps - 1);
  const north = readPair(tile, row, line, column);
  const south = readPair(tile, row, line + 1, column);
  if (north === undefined || south === undefined) return undefined;

  const east = x - column;
  const down = y - line;
  const top = north.west + (north.east - north.west) * east;
  const bottom = south.west + (south.east - south.west) * east;
  return top + (bottom - top) * down;
}

function readPair(tile: Tile, row: Buffer, line: number, column: number) {
  readSync(tile.file, row, 0, 4, (line * tile.side + column) * 2);
  const west = row.readInt16BE(0);
  const east = row.readInt16BE(2);
  return west === voidHeight || east === voidHeight ? undefined : { west, east };
}
