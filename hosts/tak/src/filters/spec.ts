/** The native filters as data: what a configuration says, with its names, before it is compiled. */

/** The second atom of a type `a-…`; the names are those of OmniTAK's configuration files. */
export const affiliationCodes = {
  pending: "p",
  unknown: "u",
  assumedfriend: "a",
  friend: "f",
  neutral: "n",
  suspect: "s",
  hostile: "h",
  joker: "j",
  faker: "k",
  none: "o",
} as const;

export type Affiliation = keyof typeof affiliationCodes;

/** The third atom of a type `a-…`. `other` stands for every letter that is none of the six. */
export const dimensionCodes = {
  space: "P",
  air: "A",
  ground: "G",
  seasurface: "S",
  seasubsurface: "U",
  sof: "F",
  other: "",
} as const;

export type Dimension = keyof typeof dimensionCodes;

export interface BoundingBox {
  /** Degrees, -90 to 90; south is not above north. */
  readonly south: number;
  readonly north: number;
  /** Degrees, -180 to 180. A west that is larger than the east is a box across the antimeridian. */
  readonly west: number;
  readonly east: number;
}

/** A filter passes a message that it matches and blocks the rest. */
export type FilterSpec =
  | { readonly type: "affiliation"; readonly allow: readonly Affiliation[] }
  | { readonly type: "dimension"; readonly allow: readonly Dimension[] }
  /** A regular expression in RE2's syntax, found anywhere in the group's name unless it has anchors. */
  | { readonly type: "group"; readonly pattern: string }
  /** Names of teams, `Cyan`, exactly as a client writes them in `__group@name`. */
  | { readonly type: "team"; readonly teams: readonly string[] }
  | { readonly type: "geo_bounding_box"; readonly box: BoundingBox }
  | { readonly type: "uid"; readonly uids: readonly string[] }
  /** Patterns like `a-f-G-*`. */
  | { readonly type: "type"; readonly types: readonly string[] }
  | { readonly type: "and"; readonly filters: readonly FilterSpec[] }
  | { readonly type: "or"; readonly filters: readonly FilterSpec[] }
  | { readonly type: "not"; readonly filter: FilterSpec };
