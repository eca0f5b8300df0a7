/** Conventions by which core modules and hosts exchange texts. This is the layer's entry. */

// Host functions that wait.
export { type AsFetchOptions, asFetchImports, asFetchModule, type FetchRequest } from "./as-fetch.ts";
export { readString } from "./assemblyscript.ts";
export { Asyncify } from "./asyncify.ts";
// Errors.
export { abiErrors } from "./errors.ts";
// For host functions: the guest's memory, checked.
export { addressOf, GuestBytes, type MemorySource } from "./guest-bytes.ts";
// Guests that are called with texts.
export type { GuestText, SharedText } from "./guest-text.ts";
export { type IsolatedAsFetchOptions, isolatedAsFetchImports } from "./isolated-as-fetch.ts";
export { IsolatedAsyncify } from "./isolated-asyncify.ts";
export { openIsolatedTextGuest } from "./isolated-text-guest.ts";
export { openTextGuest } from "./open-text-guest.ts";
export type { Answer, TextCalls, TextGuest } from "./text-guest.ts";
