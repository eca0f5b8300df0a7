import assert from "node:assert/strict";
import { test } from "node:test";
import { expectCode, messageOf } from "../filters/harness.test.ts";
import { type Route, RouteTable, type Routing } from "./route-table.ts";

const route = (fields: Partial<Route> & { id: string }): Route => ({
  description: "",
  filter: { type: "type", types: ["*"] },
  destinations: [fields.id],
  priority: 0,
  enabled: true,
  ...fields,
});

const table = (routes: Route[], routing: Partial<Routing> = {}) =>
  new RouteTable({ strategy: "all", defaultDestination: undefined, routes, ...routing });

const friends = route({ id: "friends", filter: { type: "affiliation", allow: ["friend"] } });
const ground = route({ id: "ground", filter: { type: "dimension", allow: ["ground"] }, priority: 5 });

test("with all, a message goes to the destinations of every route that matches, each once", () => {
  const both = table([friends, ground, route({ id: "again", destinations: ["ground", "friends", "x"] })]);
  assert.deepEqual([...both.route(messageOf({ type: "a-f-G" }))], ["ground", "friends", "x"]);
  assert.deepEqual([...both.route(messageOf({ type: "a-h-A" }))], ["ground", "friends", "x"]);
  assert.deepEqual(both.counts(), [
    { id: "ground", matched: 1, failed: 0 },
    { id: "friends", matched: 1, failed: 0 },
    { id: "again", matched: 2, failed: 0 },
  ]);
});

test("with first_match, the route of the highest priority that matches is the only one", () => {
  const first = table([friends, ground], { strategy: "first_match" });
  assert.deepEqual([...first.route(messageOf({ type: "a-f-G" }))], ["ground"]);
  assert.deepEqual([...first.route(messageOf({ type: "a-f-A" }))], ["friends"]);
});

test("equal priorities are tried as written", () => {
  const routes = ["c", "a", "b"].map((id) => route({ id }));
  assert.deepEqual([...table(routes, { strategy: "first_match" }).route(messageOf())], ["c"]);
});

test("a message without a route goes to the default destination, or is counted", () => {
  const withDefault = table([friends], { defaultDestination: "rest" });
  assert.deepEqual([...withDefault.route(messageOf({ type: "a-h-G" }))], ["rest"]);
  assert.equal(withDefault.unrouted, 0);
  const without = table([friends]);
  assert.deepEqual([...without.route(messageOf({ type: "a-h-G" }))], []);
  assert.equal(without.unrouted, 1);
});

test("a disabled route is not tried", () => {
  assert.deepEqual([...table([{ ...friends, enabled: false }]).route(messageOf())], []);
});

test("a route whose filter fails is counted and the others still get the message", () => {
  const failing = route({ id: "failing", filter: { type: "group", pattern: "x" }, priority: 9 });
  const routes = table([failing, friends]);
  assert.deepEqual([...routes.route(messageOf({ groupName: "x".repeat(5_000) }))], ["friends"]);
  assert.deepEqual(routes.counts()[0], { id: "failing", matched: 0, failed: 1 });
});

test("a route with an impossible filter is refused", () => {
  expectCode("tak/filter-pattern", () =>
    table([route({ id: "r", filter: { type: "group", pattern: "(" } })]),
  );
});
