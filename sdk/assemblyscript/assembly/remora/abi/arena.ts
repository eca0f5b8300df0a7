// Where the host puts the arguments of a call. They live until the call returns, so a bump pointer is enough: the
// glue of each export ends with `release()`, and nothing piles up however many calls there are. What does not
// fit into the block (a message of megabytes) gets an allocation of its own, which `release` gives back.

const BLOCK_SIZE: usize = 16384;
const LINK_SIZE: usize = 16;

const block: usize = heap.alloc(BLOCK_SIZE);
const blockEnd: usize = block + BLOCK_SIZE;
let next: usize = block;
/** The newest allocation outside the block; each starts with the address of the one before. */
let newestLarge: usize = 0;

/** The canonical ABI's allocator. The host calls it while it lowers arguments and results of imports. */
export function cabi_realloc(oldAt: usize, oldSize: usize, align: usize, newSize: usize): usize {
  if (oldAt != 0) return moved(oldAt, oldSize, align, newSize);
  const at = (next + align - 1) & ~(align - 1);
  // Written so that a size near 2^32 cannot wrap around.
  if (newSize > blockEnd - at) return large(newSize);
  next = at + newSize;
  return at;
}

/** A string that turned out longer than the host had thought, or shorter. */
function moved(oldAt: usize, oldSize: usize, align: usize, newSize: usize): usize {
  if (oldAt + oldSize == next && newSize <= blockEnd - oldAt) {
    next = oldAt + newSize;
    return oldAt;
  }
  const at = cabi_realloc(0, 0, align, newSize);
  memory.copy(at, oldAt, min(oldSize, newSize));
  return at;
}

/** `heap.alloc` traps on sizes that no memory could hold, and aligns to 16. */
function large(size: usize): usize {
  const at = heap.alloc(LINK_SIZE + size);
  store<usize>(at, newestLarge);
  newestLarge = at;
  return at + LINK_SIZE;
}

/** Forgets all arguments: the last thing that an export does. */
export function release(): void {
  next = block;
  while (newestLarge != 0) {
    const older = load<usize>(newestLarge);
    heap.free(newestLarge);
    newestLarge = older;
  }
}

/** Where the arena stands, for `rewind`. */
// @ts-ignore: decorator
@inline
export function mark(): usize {
  return next;
}

/** Forgets what came after `mark`: the result of an import, once it is copied out. */
// @ts-ignore: decorator
@inline
export function rewind(to: usize): void {
  next = to;
}
