// A program in JavaScript, with QuickJS in its component: clock and randomness reach it through WASI 0.2.

export function run(steps) {
  const seen = new Map();
  for (let step = 0; step < steps; step++) seen.set(step, Math.random());
  const random = [...seen.values()];
  return JSON.stringify({
    now: Date.now(),
    isRandom: new Set(random).size === steps && random.every((value) => value >= 0 && value < 1),
    text: "ünïcode ☃".normalize("NFC").toUpperCase(),
    sorted: [3, 1, 2].sort().join(),
  });
}
