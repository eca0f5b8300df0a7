/**
 * A value now, or a promise of it. What a guest calls usually has its answer at once, and then nothing may wait: V8
 * would put the guest's stack aside for it.
 */

export type Later<Value> = Value | Promise<Value>;

export function after<Value, Next>(value: Later<Value>, next: (value: Value) => Later<Next>): Later<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}
