/** The message that is sent in all figures of calls: ten fields, seven of them text with 82 characters. */
export const message = {
  cotType: "a-f-G-U-C",
  uid: "ANDROID-35997509",
  callsign: "FALCON-12",
  group: "Cyan",
  team: "Cyan",
  lat: 52.08,
  lon: 4.31,
  hae: 12.5,
  time: "2026-06-01T12:00:00.000Z",
  xmlPayload: "<event></event>",
};
