// What most programs are made of: maps, sets, sorting, a shortest way, and text.

class Word {
  constructor(
    public text: string,
    public count: i32,
  ) {}
}

/** How often each word occurs, most often first. */
export function counted(text: string): string {
  const counts = new Map<string, i32>();
  const words = text.toLowerCase().split(" ");
  for (let index = 0; index < words.length; index++) {
    const word = words[index].trim();
    if (word.length == 0) continue;
    counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
  }
  const list: Word[] = [];
  const keys = counts.keys();
  for (let index = 0; index < keys.length; index++) list.push(new Word(keys[index], counts.get(keys[index])));
  list.sort((a, b) => (a.count != b.count ? b.count - a.count : a.text < b.text ? -1 : 1));
  return list.map<string>((word) => `${word.text}:${word.count}`).join(",");
}

/** The same units as different things: numbers of three kinds, and text. */
export function sorted(text: string): string {
  const units = new Set<i32>();
  const whole: i32[] = [];
  const broken: f64[] = [];
  const long: u64[] = [];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (units.has(unit)) continue;
    units.add(unit);
    whole.push(unit);
    broken.push(Math.sqrt(<f64>unit));
    long.push(<u64>unit << 33);
  }
  whole.sort();
  broken.sort((a, b) => (a < b ? 1 : -1));
  long.sort();
  const names = whole.map<string>((unit) => String.fromCharCode(unit));
  const reversed = names.slice().reverse().filter((name) => name != " ");
  const first = broken.length > 0 ? broken[0].toString() : "";
  const last = long.length > 0 ? long[long.length - 1].toString() : "";
  return `${reversed.join("").padEnd(4, ".").replaceAll("a", "A")}${first.substring(0, 6)}${last}`;
}

/** Dijkstra on a grid whose cost comes from a small generator. */
export function shortest(seed: i32): i32 {
  const side = 12;
  const costs = new Int32Array(side * side);
  let state = <u32>seed;
  for (let cell = 0; cell < costs.length; cell++) {
    state = state * 1664525 + 1013904223;
    costs[cell] = 1 + <i32>((state >>> 24) & 7);
  }
  const best = new Int32Array(side * side).fill(i32.MAX_VALUE);
  const open = new Map<i32, i32>();
  best[0] = 0;
  open.set(0, 0);
  while (open.size > 0) {
    const cells = open.keys();
    let nearest = cells[0];
    for (let index = 1; index < cells.length; index++) {
      if (open.get(cells[index]) < open.get(nearest)) nearest = cells[index];
    }
    open.delete(nearest);
    const row = nearest / side;
    const column = nearest % side;
    const ways: StaticArray<i32> = [-1, 0, 1, 0, 0, -1, 0, 1];
    for (let way = 0; way < 8; way += 2) {
      const nextRow = row + ways[way];
      const nextColumn = column + ways[way + 1];
      if (nextRow < 0 || nextColumn < 0 || nextRow >= side || nextColumn >= side) continue;
      const next = nextRow * side + nextColumn;
      const cost = best[nearest] + costs[next];
      if (cost >= best[next]) continue;
      best[next] = cost;
      open.set(next, cost);
    }
  }
  return best[side * side - 1];
}

/** A number in several bases, and a day of the calendar. */
export function formatted(count: i32): string {
  const day = new Date(<i64>count * 86_400_000_000);
  const value = F64.parseFloat(`${count}.125`) + <f64>I32.parseInt("7f", 16);
  return [count.toString(2), (<u64>count * 1_000_003).toString(16), value.toString(), day.toISOString()].join("/");
}
