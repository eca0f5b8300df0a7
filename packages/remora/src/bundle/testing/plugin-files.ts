/** The files of small plugins, as a publisher would have them in a folder. */

export const emptyModule = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

export const manifestText = `name = "geofence"
version = "1.2.0"
authors = ["Ada Example <ada@example.org>"]
licence = "Apache-2.0"

[host]
name = "tak"
version = "^0.1.0"

[[artifacts]]
file = "geofence.wasm"
world = "omnitak:plugin/filter-plugin@0.1.0"
`;

/** A module that imports these functions of no parameters, as module and name. */
export function moduleImporting(
  ...imports: readonly (readonly [module: string, name: string])[]
): Uint8Array {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  const rows = imports.flatMap(([module, name]) => [...text(module), ...text(name), 0x00, 0x00]);
  return Uint8Array.of(
    ...emptyModule,
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
    ...[0x02, rows.length + 1, imports.length, ...rows],
  );
}

/** `remora.toml`, one artifact, and whatever else is given; a text is a file's text. */
export function pluginFiles(
  more: Readonly<Record<string, Uint8Array | string>> = {},
): Map<string, Uint8Array> {
  const files = { "remora.toml": manifestText, "geofence.wasm": emptyModule, ...more };
  return new Map(
    Object.entries(files).map(([name, file]) => [
      name,
      typeof file === "string" ? new TextEncoder().encode(file) : file,
    ]),
  );
}
