import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bearing, circle, distance, offset, type Place, racetrack, Track, thereAndBack } from "./movement.ts";
import { Random } from "./random.ts";

const place: fc.Arbitrary<Place> = fc.tuple(
  fc.double({ min: -80, max: 80, noNaN: true }),
  fc.double({ min: -170, max: 170, noNaN: true }),
);

test("a place at a distance and in a direction has that distance and direction", () => {
  fc.assert(
    fc.property(place, fc.nat(359), fc.integer({ min: 10, max: 100_000 }), (from, course, metres) => {
      const to = offset(from, course, metres);
      assert.ok(Math.abs(distance(from, to) - metres) < metres / 1e4);
      const turn = Math.abs(bearing(from, to) - course);
      assert.ok(Math.min(turn, 360 - turn) < 0.1);
    }),
  );
});

test("a known distance: The Hague to Rotterdam is some 21 km to the south-east", () => {
  const [hague, rotterdam]: [Place, Place] = [
    [52.0705, 4.3007],
    [51.9244, 4.4777],
  ];
  assert.equal(Math.round(distance(hague, rotterdam) / 1_000), 20);
  assert.equal(Math.round(bearing(hague, rotterdam) / 10) * 10, 140);
});

test("along a track nothing jumps, and it moves as fast as it says", () => {
  const ways = [
    circle([52, 4], 500),
    racetrack([52, 4], 30, 5_000, 2_000),
    thereAndBack([
      [52, 4],
      [52.1, 4.1],
      [52, 4.2],
    ]),
  ];
  for (const way of ways) {
    const track = new Track(way, { speed: 20, swing: 0.4, period: 200, startAt: 0.7 });
    for (let second = 0; second < 2_000; second++) {
      const [now, next] = [track.at(second), track.at(second + 1)];
      const moved = distance(now.place, next.place);
      // At a corner the straight line is shorter than the way.
      assert.ok(moved <= Math.max(now.speed, next.speed) + 0.01, `${moved} ${now.speed}`);
      assert.ok(now.course >= 0 && now.course < 360);
    }
  }
});

test("who does not move stays where it is", () => {
  const still = new Track(
    [
      [52, 4],
      [52, 4],
    ],
    { speed: 0, swing: 0.3, period: 100, startAt: 0.5 },
  );
  assert.deepEqual(still.at(1_234).place, [52, 4]);
});

test("the same seed gives the same numbers, and they are spread", () => {
  const [a, b] = [new Random(7), new Random(7)];
  const numbers = Array.from({ length: 1_000 }, () => a.next());
  assert.deepEqual(
    numbers,
    numbers.map(() => b.next()),
  );
  assert.ok(Math.abs(numbers.reduce((sum, n) => sum + n, 0) / 1_000 - 0.5) < 0.05);
  assert.match(new Random(1).uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
