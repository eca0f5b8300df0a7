// The answers to many messages at once: a byte each, in one buffer that grows to the largest batch seen.

let results: usize = 0;
let capacity: usize = 0;
const pair: usize = memory.data(8, 4);

/** Room for the answers to `count` messages. */
export function roomForResults(count: usize): usize {
  if (count > capacity) {
    results = results ? heap.realloc(results, count) : heap.alloc(count);
    capacity = count;
  }
  return results;
}

/** Writes the `list<filter-result>`; returns its address. */
export function lowerResults(count: usize): usize {
  store<usize>(pair, results);
  store<usize>(pair, count, sizeof<usize>());
  return pair;
}
