import assert from "node:assert/strict";
import { test } from "node:test";
import { Life, type LifeEvent, lifeEvents, lifeTable, type State, states } from "./life.ts";

/** The arrows as design and documents draw them: what is not here does not happen. */
const arrows: readonly (readonly [State, LifeEvent, State])[] = [
  ["installed", "start", "preparing"],
  ["installed", "stop", "stopped"],
  ["preparing", "ready", "running"],
  ["preparing", "failed", "broken"],
  ["preparing", "swapped", "running"],
  ["preparing", "stop", "stopped"],
  ["running", "swapped", "running"],
  ["running", "broke", "broken"],
  ["running", "stop", "draining"],
  ["draining", "drained", "stopped"],
  ["broken", "wait", "backing-off"],
  ["broken", "start", "preparing"],
  ["broken", "swapped", "running"],
  ["broken", "stop", "stopped"],
  ["backing-off", "retry", "preparing"],
  ["backing-off", "start", "preparing"],
  ["backing-off", "swapped", "running"],
  ["backing-off", "stop", "stopped"],
  ["stopped", "start", "preparing"],
];

/** Ways to every state, by events alone. */
const ways: Readonly<Record<State, readonly LifeEvent[]>> = {
  installed: [],
  preparing: ["start"],
  running: ["start", "ready"],
  draining: ["start", "ready", "stop"],
  broken: ["start", "failed"],
  "backing-off": ["start", "failed", "wait"],
  stopped: ["stop"],
};

test("each event in each state leads where the table says, and all others are refused", () => {
  for (const state of states) {
    for (const event of lifeEvents) {
      const seen: unknown[] = [];
      const life = new Life((...change) => void seen.push(change));
      for (const step of ways[state]) life.on(step);
      assert.equal(life.state, state);
      seen.length = 0;
      const [, , to] = arrows.find(([from, by]) => from === state && by === event) ?? [];
      assert.equal(life.takes(event), to !== undefined, `${state} ${event}`);
      if (to === undefined) {
        assert.throws(() => life.on(event), /Invariant broken/, `${state} ${event}`);
        assert.equal(life.state, state);
        assert.deepEqual(seen, []);
      } else {
        life.on(event);
        assert.equal(life.state, to, `${state} ${event}`);
        assert.deepEqual(seen, [[state, event, to]]);
      }
    }
  }
});

test("the table has the arrows of the drawing and no others", () => {
  const inTable = states.flatMap((from) =>
    Object.entries(lifeTable[from]).map(([event, to]) => [from, event, to].join(" ")),
  );
  assert.deepEqual(inTable.sort(), arrows.map((arrow) => arrow.join(" ")).sort());
});

test("from every state there is a way to stopped, and from there back to running", () => {
  const reach = (from: State, seen = new Set<State>()): Set<State> => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const to of Object.values(lifeTable[from])) reach(to, seen);
    return seen;
  };
  for (const state of states) assert.ok(reach(state).has("stopped") && reach(state).has("running"), state);
});
