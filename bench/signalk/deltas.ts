/** What a boat says. */

/** A position with speed, as a GPS gives it every second. */
const deltaAt = (second: number) => ({
  context: "vessels.urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
  updates: [
    {
      $source: "gps.GP",
      timestamp: new Date(Date.UTC(2026, 0, 1, 12) + 1_000 * second).toISOString(),
      values: [
        {
          path: "navigation.position",
          value: {
            latitude: (53_012_345 + 11 * second) / 1_000_000,
            longitude: (4_712_345 + 7 * second) / 1_000_000,
          },
        },
        { path: "navigation.speedOverGround", value: (315 + (second % 7)) / 100 },
        { path: "navigation.courseOverGroundTrue", value: (10_821 + (second % 11)) / 10_000 },
      ],
    },
  ],
});

/** The same again and again; and another time, place and speed each. */
export const still: readonly object[] = [deltaAt(0)];
export const moving: readonly object[] = Array.from({ length: 600 }, (_, second) => deltaAt(second));

export const depthOf = (metres: number): object => ({
  context: "vessels.urn:mrn:signalk:uuid:c0d79334-4e25-4245-8892-54e8ccc8021d",
  updates: [
    {
      $source: "sounder.SD",
      timestamp: "2026-01-01T12:00:00.000Z",
      values: [{ path: "environment.depth.belowTransducer", value: metres }],
    },
  ],
});
