/** How many names a message lists: more would make it unreadable, and the error's `details` have them all. */
export const listedMax = 50;
