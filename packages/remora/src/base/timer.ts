/** Milliseconds. `setTimeout` counts in 31 bits, and takes a longer delay for none at all. */
export const timerMsMax = 2 ** 31 - 1;
