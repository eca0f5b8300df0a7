import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crossTrackMetres, trackStart } from "./cross-track.ts";

test("on the equator, what is north of a track to the east is to its left", () => {
  const track = { from: { latitude: 0, longitude: 0 }, to: { latitude: 0, longitude: 1 } };
  const metres = crossTrackMetres({ latitude: 0.01, longitude: 0.5 }, track);
  assert.ok(Math.abs(metres + 1_112) < 1, String(metres));
});

test("the vessel is as far off the track that begins there as was said, on that side, wherever it is", () => {
  const position = fc.record({
    latitude: fc.double({ min: -80, max: 80, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  });
  const away = fc.double({ min: 0.05, max: 2, noNaN: true });
  fc.assert(
    fc.property(position, away, fc.double({ min: -500, max: 500, noNaN: true }), (vessel, north, metres) => {
      const to = { latitude: vessel.latitude + north, longitude: vessel.longitude };
      const from = trackStart(vessel, to, metres);
      assert.ok(from !== undefined && Math.abs(from.longitude) <= 180);
      assert.ok(Math.abs(crossTrackMetres(vessel, { from, to }) - metres) < 0.1);
    }),
  );
});

test("there is no track that a vessel is farther off than from its end", () => {
  const [vessel, to] = [
    { latitude: 52, longitude: 4 },
    { latitude: 52.001, longitude: 4 },
  ];
  assert.equal(trackStart(vessel, to, 200), undefined);
  assert.equal(trackStart(vessel, to, Number.MAX_VALUE), undefined);
  assert.equal(trackStart(vessel, vessel, 0), undefined);
});
