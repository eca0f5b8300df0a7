import assert from "node:assert/strict";
import { test } from "node:test";
import { managerErrors } from "../errors.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { HealthLooks } from "./health-looks.ts";

/** Some that answer as they are told to, and what was seen of them. */
function looks() {
  const clock = new FakeClock();
  const seen: string[] = [];
  const one = (name: string, answer: () => void | Promise<void>) => ({
    name,
    checkHealth() {
      seen.push(name);
      return answer();
    },
  });
  const health = new HealthLooks<ReturnType<typeof one>>({
    clock,
    healthEveryMs: 1_000,
    onIll: ({ name }) => void seen.push(`${name} is ill`),
  });
  return { clock, seen, one, health };
}

test("one that answers is looked at again after a while, and one that is ill is not", () => {
  const { clock, seen, one, health } = looks();
  let isIll = false;
  const answer = () => {
    if (isIll) throw managerErrors.unhealthy({ plugin: "a test", reason: "ill" });
  };
  health.watch(one("a", answer));
  clock.advance(2_000);
  isIll = true;
  clock.advance(2_000);
  assert.deepEqual(seen, ["a", "a", "a", "a is ill"]);
});

test("what one says that is not watched any more changes nothing", async () => {
  const { clock, seen, one, health } = looks();
  const answer = Promise.withResolvers<void>();
  const first = one("a", () => answer.promise);
  health.watch(first);
  clock.advance(1_000);
  health.watch(one("b", () => {}));
  answer.reject(managerErrors.unhealthy({ plugin: "a test", reason: "ill" }));
  await answer.promise.catch(() => {});
  clock.advance(1_000);
  assert.deepEqual(seen, ["a", "b"]);
  health.stop();
  assert.equal(clock.pendingCount, 0);
});

test("one that is watched again while it is asked is looked at once at a time", async () => {
  const { clock, one, health } = looks();
  const answer = Promise.withResolvers<void>();
  const first = one("a", () => answer.promise);
  health.watch(first);
  clock.advance(1_000);
  health.watch(one("b", () => {}));
  health.watch(first);
  answer.resolve();
  await answer.promise;
  assert.equal(clock.pendingCount, 1);
});
