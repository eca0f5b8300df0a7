/* A small bytecode interpreter that counts n times: one dispatch loop with a switch. */
#include "kernel.h"
enum { push, add, sub, mul, dup, swap, load, store, jump_if, less, drop, halt };
static const u8 program[] = {
  push, 0, store, 1, push, 0, store, 2,
  load, 2, load, 0, less, jump_if, 40,
  load, 1, load, 2, push, 7, mul, add, push, 3, sub, dup, store, 1, drop,
  load, 2, push, 1, add, store, 2, push, 1, jump_if, 8,
  load, 1, halt};
EXPORT u32 run(u32 n) {
  u32 stack[32], slots[4] = {n, 0, 0, 0};
  u32 top = 0, pc = 0;
  for (;;) switch (program[pc++]) {
    case push: stack[top++] = program[pc++]; break;
    case add: top--; stack[top - 1] += stack[top]; break;
    case sub: top--; stack[top - 1] -= stack[top]; break;
    case mul: top--; stack[top - 1] *= stack[top]; break;
    case dup: stack[top] = stack[top - 1]; top++; break;
    case swap: { u32 t = stack[top - 1]; stack[top - 1] = stack[top - 2]; stack[top - 2] = t; break; }
    case load: stack[top++] = slots[program[pc++]]; break;
    case store: slots[program[pc++]] = stack[--top]; break;
    case jump_if: { u32 to = program[pc++]; if (stack[--top]) pc = to; break; }
    case less: top--; stack[top - 1] = !(stack[top - 1] < stack[top]); break;
    case drop: top--; break;
    default: return stack[top - 1];
  }
}
