/**
 * signalk-server's own example of server events, unmodified: it hears sentences of NMEA 0183 and says them again as PGNs of
 * NMEA 2000. Needs its repository and Rust's registry.
 */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runSignalk } from "@remora/signalk";
import { examplePlugin, removeExamples } from "./example-plugins.ts";

const name = "example-event-handler-rust";
const rmc = "$GPRMC,123519,A,4807.038,N,01131.000,W,022.4,084.4,230394,003.1,W*6A";
const gga = "$GPGGA,123519,4807.038,S,01131.000,E,1,08,0.9,545.4,M,47.0,M,,*47";

after(removeExamples);

for (const level of ["inline", "worker", "process"] as const) {
  test(`${level}: the event handler in Rust makes PGNs of sentences, from its configured source`, async (t) => {
    const example = examplePlugin(name);
    if ("missing" in example) return t.skip(example.missing);
    const dataFolder = mkdtempSync(join(tmpdir(), "remora-signalk-events-"));
    t.after(() => rmSync(dataFolder, { recursive: true, force: true }));
    const modules = join(dataFolder, "node_modules");
    for (const file of ["package.json", "plugin.wasm"])
      cpSync(join(example.folder, file), join(modules, "@signalk", name, file));
    mkdirSync(join(dataFolder, "plugin-config-data"));
    const settings = { enabled: true, enableDebug: false, configuration: { sourceId: "bow" } };
    writeFileSync(join(dataFolder, `plugin-config-data/_signalk_${name}.json`), JSON.stringify(settings));
    const { server, plugins, close } = await runSignalk({
      dataFolder,
      modulesFolders: [modules],
      port: 0,
      log: () => {},
      plugins: { isolation: () => level },
    });
    t.after(close);
    const plugin = plugins.get(`_signalk_${name}`);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (plugin?.state === "starting") await turn();
    assert.equal(plugin?.state, "running", plugin?.statusMessage ?? "no plugin");
    assert.equal(plugin.name, "NMEA Converter (Rust)");
    assert.equal(plugin.statusMessage, "Converting NMEA 0183 to NMEA 2000");
    const emitted: unknown[] = [];
    server.events.on("nmea2000JsonOut", ({ data }) => emitted.push(data));
    for (const [type, data] of [
      ["nmea0183", rmc],
      ["nmea0183out", gga],
    ] as const)
      server.events.emit({ type, data, timestamp: 0 });
    while (emitted.length < 3) await turn();
    const latitude = 48 + 7.038 / 60;
    const longitude = 11 + 31 / 60;
    const pgn = { src: "bow", dst: 255, prio: 2 };
    assert.deepEqual(emitted, [
      { ...pgn, pgn: 129025, fields: { Latitude: latitude, Longitude: -longitude } },
      {
        ...pgn,
        pgn: 129026,
        fields: { SID: 0, "COG Reference": "True", COG: (84.4 * Math.PI) / 180, SOG: 22.4 * 0.514444 },
      },
      { ...pgn, pgn: 129025, fields: { Latitude: -latitude, Longitude: longitude } },
    ]);
    assert.equal(plugin.account.counts.traps, 0);
  });
}
