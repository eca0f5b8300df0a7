/** Where the vessel is going, as a chart plotter asks and sets it: through HTTP. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { PathValue } from "../delta/delta.ts";
import { boatWith } from "../testing/boats.ts";

const course = "/signalk/v2/api/vessels/self/navigation/course";
const here = { latitude: 52, longitude: 4 };
const there = { latitude: 53, longitude: 5 };
const vessel = { type: "VesselPosition", position: here, name: "VP" };

const route = {
  name: "Out",
  feature: {
    geometry: {
      coordinates: [
        [4.1, 52.1],
        [4.2, 52.2, 3],
        [4.3, 52.3],
      ],
    },
    properties: { coordinatesMeta: [{ name: "Buoy" }, {}, { name: "Harbour" }] },
  },
};
const places: Record<string, unknown> = {
  "routes out": route,
  "routes broken": { feature: { geometry: { coordinates: [[200, 0]] } } },
  "waypoints pier": { name: "Pier", feature: { geometry: { coordinates: [5, 53] } } },
};

/** A boat with a provider of routes and waypoints, which knows where it is unless it is said otherwise. */
async function boat(t: TestContext, position: unknown = here) {
  const { server, fetch } = await boatWith(t, []);
  for (const type of ["routes", "waypoints"]) {
    server.port.registerResources({
      plugin: "places",
      type,
      list: async () => ({}),
      get: async (id) => places[`${type} ${id}`],
      set: async () => {},
      remove: async () => {},
    });
  }
  if (position !== undefined)
    server.input({ updates: [{ values: [{ path: "navigation.position", value: position }] }] }, "gps");
  const put = async (path: string, body: unknown) =>
    (await fetch(`${course}${path}`, { method: "PUT", body })).status;
  const info = async () => (await fetch(course)).json;
  return { server, fetch, put, info };
}

test("a place is steered for from where the vessel is, until the course is cleared", async (t) => {
  const { fetch, put, info } = await boat(t);
  assert.deepEqual(await info(), {
    startTime: null,
    targetArrivalTime: null,
    arrivalCircle: 0,
    activeRoute: null,
    nextPoint: null,
    previousPoint: null,
  });
  assert.equal(await put("/destination", { position: there, arrivalCircle: 50 }), 200);
  assert.deepEqual(await info(), {
    startTime: "2026-01-01T00:00:00.000Z",
    targetArrivalTime: null,
    arrivalCircle: 50,
    activeRoute: null,
    nextPoint: { type: "Location", position: there, name: "DP" },
    previousPoint: vessel,
  });
  assert.equal((await fetch(course, { method: "DELETE" })).status, 200);
  const cleared = await info();
  assert.deepEqual([cleared.nextPoint, cleared.arrivalCircle], [null, 50]);
});

test("a waypoint is steered for by its address", async (t) => {
  const { put, info } = await boat(t);
  const href = "/signalk/v2/api/resources/waypoints/pier";
  assert.equal(await put("/destination", { href }), 200);
  assert.deepEqual((await info()).nextPoint, { type: "Waypoint", position: there, name: "Pier", href });
});

test("a route is followed point by point, and back", async (t) => {
  const { put, info } = await boat(t);
  const href = "/resources/routes/out";
  const next = async () => {
    const { activeRoute, nextPoint, previousPoint } = await info();
    return [activeRoute.pointIndex, nextPoint.name, previousPoint.name];
  };
  assert.equal(await put("/activeRoute", { href }), 200);
  assert.deepEqual((await info()).activeRoute, {
    href,
    name: "Out",
    reverse: false,
    pointIndex: 0,
    pointTotal: 3,
  });
  assert.deepEqual(await next(), [0, "Buoy", "VP"]);
  assert.equal(await put("/activeRoute/nextPoint", {}), 200);
  assert.deepEqual(await next(), [1, "WP2", "Buoy"]);
  assert.deepEqual((await info()).nextPoint.position, { latitude: 52.2, longitude: 4.2, altitude: 3 });
  assert.equal(await put("/activeRoute/pointIndex", { value: 99 }), 200);
  assert.deepEqual(await next(), [2, "Harbour", "WP2"]);
  assert.equal(await put("/activeRoute/reverse", {}), 200);
  assert.deepEqual(await next(), [0, "Harbour", "VP"]);
  assert.equal(await put("/activeRoute/nextPoint", { value: 2 }), 200);
  assert.deepEqual(await next(), [2, "Buoy", "WP2"]);
  assert.equal(await put("/activeRoute/refresh", {}), 200);
  assert.deepEqual(await next(), [2, "Buoy", "WP2"]);
});

test("it is told in deltas: to version 1 where instruments look, to version 2 as it is", async (t) => {
  const { server, put, fetch } = await boat(t);
  const told: PathValue[] = [];
  server.onDelta(({ delta, version }) => {
    if (version === 2) told.push(...delta.updates.flatMap(({ values }) => values ?? []));
  });
  await put("/destination", { position: there });
  assert.deepEqual(
    told.find(({ path }) => path === "navigation.course.nextPoint"),
    { path: "navigation.course.nextPoint", value: { type: "Location", position: there, name: "DP" } },
  );
  const { json } = await fetch("/signalk/v1/api/vessels/self/navigation/courseRhumbline/nextPoint/position");
  assert.deepEqual([json.value, json.$source], [there, "courseApi"]);
});

for (const [path, body] of [
  ["/destination", {}],
  ["/destination", []],
  ["/destination", { position: { latitude: 91, longitude: 0 } }],
  ["/destination", { position: { latitude: "1", longitude: 0 } }],
  ["/destination", { href: "/waypoints/pier" }],
  ["/destination", { href: "/resources/waypoints/nowhere" }],
  ["/destination", { href: 7 }],
  ["/activeRoute", {}],
  ["/activeRoute", { href: "/resources/routes/nowhere" }],
  ["/activeRoute", { href: "/resources/routes/broken" }],
  ["/activeRoute/nextPoint", {}],
  ["/activeRoute/elsewhere", {}],
  ["/restart", {}],
  ["/arrivalCircle", { value: -1 }],
  ["/targetArrivalTime", { value: "tomorrow" }],
] as const) {
  test(`${path} with ${JSON.stringify(body)} is refused, and changes nothing`, async (t) => {
    const { put, info } = await boat(t);
    const before = await info();
    assert.equal(await put(path, body), 400);
    assert.deepEqual(await info(), before);
  });
}

test("without a position there is no course", async (t) => {
  const { put } = await boat(t, null);
  assert.equal(await put("/destination", { position: there }), 400);
  assert.equal(await put("/activeRoute", { href: "/resources/routes/out" }), 400);
});

test("its details are set one by one", async (t) => {
  const { put, info, fetch } = await boat(t);
  assert.equal(await put("/arrivalCircle", { value: 20 }), 200);
  assert.equal(await put("/targetArrivalTime", { value: "2026-01-02T00:00:00Z" }), 200);
  await put("/destination", { position: there });
  assert.equal(await put("/restart", {}), 200);
  const { arrivalCircle, targetArrivalTime, previousPoint } = await info();
  assert.deepEqual(
    [arrivalCircle, targetArrivalTime, previousPoint],
    [20, "2026-01-02T00:00:00Z", { type: "VesselPosition", position: here }],
  );
  assert.equal((await fetch(`${course}/arrivalCircle/meta`)).json.arrivalCircle.units, "m");
});
