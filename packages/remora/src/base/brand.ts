/** Numbers that must not be mixed: `type FuncIndex = Brand<number, "FuncIndex">`. */

declare const brand: unique symbol;

/** A value of `Base` that only an explicit `as` makes; the compiler refuses one brand where it wants another. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
